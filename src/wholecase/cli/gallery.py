"""`wholecase gallery`: what the models of a run remember beside what they learnt from."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wholecase.cli.options import CohortFile, Device, MovedWeights, StoreFolder, Workers
from wholecase.core.visible import visible

gallery = App(name="gallery", help="Add cases to the memory of a run that decides by neighbours.")

Folder = Annotated[Path, Parameter(help="folder of a finished run")]


@gallery.command
def add(
    run: Folder,
    cohort: CohortFile,
    /,
    *,
    weights: MovedWeights = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Let the fold models remember the labelled cases of a manifest; nothing is learnt.

    Cases that the run knows are left out, and of each fold those whose patients it judges. The
    figures of the run stay: they were made without them.
    """
    from wholecase.cohort import refuse_no_manifest

    refuse_no_manifest(cohort)
    from wholecase.assemble import place_of
    from wholecase.experiment import add_to_gallery, addition_lines
    from wholecase.report import write_report

    place = place_of(device, workers)
    added = add_to_gallery(run, cohort, place, weights=weights, store=store)
    for line in addition_lines(added):
        print(visible(line))
    write_report(run)
    return 0


@gallery.command
def undo(run: Folder, /) -> int:
    """Take back what was added last."""
    from wholecase.experiment import undo_gallery
    from wholecase.report import write_report

    print(visible(f"{undo_gallery(run)} is no longer in the memory of {run}"))
    write_report(run)
    return 0
