"""`wholecase reproduce`: a run again, and what differs."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import Device, Workers
from wholecase.core.visible import visible


def reproduce(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *,
    out: Annotated[Path | None, Parameter(help="folder of the repetition [RUN-again]")] = None,
    cohort: Annotated[Path | None, Parameter(help="the manifest, if it moved")] = None,
    fresh: Annotated[bool, Parameter(negative="", help="make features anew, too")] = False,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Repeat a run from its folder and tell what differs; exit code 1 if an answer does."""
    from wholecase.assemble import place_of
    from wholecase.experiment import reproduce as repeated
    from wholecase.experiment import reproduction_lines

    told = repeated(run, out, place_of(device, workers), cohort=cohort, fresh=fresh)
    for line in reproduction_lines(told):
        print(visible(line))
    print(visible(f"repeated in {told.again.root}"))
    return 0 if told.is_same else 1
