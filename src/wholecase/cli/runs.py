"""`wholecase runs`: what was run, and how it ended."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.core.visible import visible


def runs(
    folder: Annotated[Path, Parameter(help="folder that holds runs")] = Path("runs"),
) -> None:
    """List finished runs with their headline, and what differs between their recipes."""
    from wholecase.report import run_lines, runs_in

    for line in run_lines(runs_in(folder)):
        print(visible(line))
