"""What was taken as tissue: a contact sheet of all slides, those without tissue first."""

from dataclasses import dataclass

from wholecase.report.pictures import contact_sheet
from wholecase.report.run_record import Run

MOST = 1000
"""Slides on the sheet; a larger cohort is told how many more there are."""


@dataclass(frozen=True)
class Slide:
    """One picture of the sheet."""

    case: str
    image: str
    picture: str
    """A data URI; empty where there is none."""
    instances: int
    squares: int
    """Of so many the instances were chosen; 0 where all were taken."""


@dataclass(frozen=True)
class Slides:
    """The sheet."""

    shown: tuple[Slide, ...]
    without_tissue: int
    more: int


def slides_of(run: Run) -> Slides:
    """The sheet of a run; empty where the run has no slides."""
    records = sorted(run.tissue, key=lambda record: record.instances > 0)
    shown = records[:MOST]
    pictures = contact_sheet([record.picture for record in shown])
    return Slides(
        shown=tuple(
            Slide(record.case, record.image, picture, record.instances, record.squares)
            for record, picture in zip(shown, pictures, strict=True)
        ),
        without_tissue=sum(record.instances == 0 for record in records),
        more=len(records) - len(shown),
    )
