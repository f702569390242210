"""`wholecase phantom`: drawn cohorts whose truth is known."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wholecase.cli.options import Workers, worker_count

phantom = App(name="phantom", help="Draw a cohort whose truth is known.")


@phantom.command
def slides(
    folder: Annotated[Path, Parameter(help="where the slides and cohort.csv go")],
    *,
    cases: Annotated[int, Parameter(help="how many; half of them mutated")] = 24,
    seed: int = 1,
    workers: Workers = 0,
) -> None:
    """Draw whole-slide images: pyramidal TIFFs with tissue, artefacts, and nests in positives."""
    from wholecase.phantoms import draw_slides

    print(draw_slides(folder, cases=cases, seed=seed, workers=worker_count(workers)))
