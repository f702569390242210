"""How the comparing of cases went: active triplets and the spread of the embedding, by epoch."""

from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.learning import ALONE, FRAME, epoch_axis
from wholecase.report.records import FoldRecord
from wholecase.report.run_record import Run

ACTIVE, DISTANCE = "active_triplets", "embedding_distance"
FARTHEST = 2.0
"""Between unit vectors."""


def compared_curves(run: Run) -> list[tuple[int, str]]:
    """Fold number and figure of each fold whose history tells the distance between its cases."""
    folds = [fold for fold in run.folds if _shares(fold, DISTANCE)]
    if not folds:
        return []
    frame = FRAME if len(folds) > 1 else ALONE
    return [(fold.number, _one(fold, epoch_axis(folds), frame)) for fold in folds]


def _shares(fold: FoldRecord, name: str) -> list[tuple[int, float]]:
    """Epoch and figure, distances as a share of the possible."""
    whole = FARTHEST if name == DISTANCE else 1.0
    return [(e.number, e.figures[name] / whole) for e in fold.epochs if name in e.figures]


def _one(fold: FoldRecord, x: Axis, frame: Frame) -> str:
    y = Axis("Share")
    axes = Axes(x, y, title=f"Triplets and spread of fold {fold.number}", frame=frame)
    axes.line(_shares(fold, DISTANCE), "curve valid")
    axes.line(_shares(fold, ACTIVE), "curve train")
    apart = dict(_shares(fold, DISTANCE))
    for best in (epoch for epoch in fold.epochs if epoch.is_best):
        axes.line([(best.number, y.low), (best.number, y.high)], "threshold")
        if best.number in apart:
            tip = f"epoch {best.number} was kept, mean distance {FARTHEST * apart[best.number]:.3f}"
            axes.dot(best.number, apart[best.number], 4.5, "kept", tip)
    return axes.markup()
