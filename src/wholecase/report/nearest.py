"""The known cases that a decision rests on, small and side by side on the page of a case."""

from dataclasses import dataclass

from wholecase.report.pictures import jpeg
from wholecase.report.run_record import Run
from wholecase.report.wording import number

SHOWN = 5
LONGEST_PX, MOST_BYTES = 72, 1_600


@dataclass(frozen=True)
class ShownNeighbour:
    """One neighbour as the page shows it."""

    case: str
    label: str
    distance: str
    is_like: bool
    """Whether it has the label that was decided for."""
    picture: str
    """A data URI; empty where the run drew none of it."""


def shown_neighbours(run: Run, case: str, decision: str) -> tuple[ShownNeighbour, ...]:
    """Those of a case, nearest first; empty where its model does not decide by neighbours."""
    return tuple(
        ShownNeighbour(
            case=one.case,
            label=one.label,
            distance=number(one.distance, 3),
            is_like=one.label == decision,
            picture=_picture(run, one.case),
        )
        for one in run.neighbours.get(case, ())[:SHOWN]
    )


def _picture(run: Run, case: str) -> str:
    pictures = run.pictures.get(case)
    return jpeg(pictures.thumbnail, LONGEST_PX, MOST_BYTES) if pictures else ""
