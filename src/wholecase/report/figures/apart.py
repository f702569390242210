"""How the two classes came apart: mean probabilities over the epochs, a small figure per fold."""

from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.learning import ALONE, FRAME, epoch_axis
from wholecase.report.records import FoldRecord
from wholecase.report.run_record import Run


def apart_curves(run: Run) -> list[tuple[int, str]]:
    """Fold number and figure of each fold whose history tells the mean probabilities."""
    folds = [fold for fold in run.folds if _means(fold, 0) and _means(fold, 1)]
    if not folds:
        return []
    frame = FRAME if len(folds) > 1 else ALONE
    return [(fold.number, _one(fold, epoch_axis(folds), frame)) for fold in folds]


def _means(fold: FoldRecord, side: int) -> list[tuple[int, float]]:
    """Epoch and mean probability of negatives (0) or of positives (1)."""
    points = [(epoch.number, (epoch.p_negative, epoch.p_positive)[side]) for epoch in fold.epochs]
    return [(number, mean) for number, mean in points if mean is not None]


def _one(fold: FoldRecord, x: Axis, frame: Frame) -> str:
    y = Axis("Mean probability")
    axes = Axes(x, y, title=f"Mean probabilities of fold {fold.number}", frame=frame)
    for kind, side in (("curve valid", 1), ("curve train", 0)):
        axes.line(_means(fold, side), kind)
    for best in (epoch for epoch in fold.epochs if epoch.is_best):
        axes.line([(best.number, y.low), (best.number, y.high)], "threshold")
        if best.p_positive is not None and best.p_negative is not None:
            gap = best.p_positive - best.p_negative
            tip = f"epoch {best.number} was kept, separation {gap:.3f}"
            axes.dot(best.number, best.p_positive, 4.5, "kept", tip)
    return axes.markup()
