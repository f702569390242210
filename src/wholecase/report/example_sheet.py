"""The sheet of examples that a run of pixels drew: right and wrong decisions, with their maps."""

from dataclasses import dataclass

from wholecase.report.pictures import jpeg
from wholecase.report.run_record import Run
from wholecase.runs import RunFolder

FILE = "gradcam_examples.png"
LONGEST_PX = 1800
MOST_BYTES = 420_000
"""Beside the pictures of the cases: the page stays small enough to send."""


@dataclass(frozen=True)
class Examples:
    """The sheet, and what is said below it."""

    picture: str
    """A data URI."""
    caption: str


def examples(run: Run) -> Examples | None:
    """The sheet of a run; None where it drew none."""
    path = RunFolder(run.root).figure(FILE)
    picture = jpeg(path, LONGEST_PX, MOST_BYTES) if path.is_file() else ""
    if not picture:
        return None
    return Examples(
        picture=picture,
        caption=(
            f"The surest decisions of each kind with their probability of {run.positive}: positive "
            f"means called {run.positive}, true means rightly so. Each map is scaled to its own "
            "maximum: where it is warm all over, no place stood out."
        ),
    )
