"""How the loss fell, one small figure per fold on a common scale."""

from collections.abc import Sequence

from wholecase.report.figures.axes import Axes, Axis, Frame, nice_ticks
from wholecase.report.records import Epoch, FoldRecord
from wholecase.report.run_record import Run

FRAME = Frame(width=220, height=190, left=50, right=8, top=10, bottom=46)
ALONE = Frame(width=440, height=280, left=56, right=16, top=10, bottom=50)
"""Of the only fold."""


def learning_curves(run: Run) -> list[tuple[int, str]]:
    """Fold number and learning curves of each fold that has a history."""
    return draw_learning(run.folds)


def draw_learning(folds: Sequence[FoldRecord]) -> list[tuple[int, str]]:
    """Fold number and figure, for each fold that has a history."""
    with_epochs = [fold for fold in folds if fold.epochs]
    losses = [
        loss for fold in with_epochs for e in fold.epochs for loss in _losses(e) if loss is not None
    ]
    if not losses:
        return []
    # one wild first epoch must not flatten all others
    losses.sort()
    high = min(losses[-1], 2.5 * losses[round(0.9 * (len(losses) - 1))]) * 1.05 or 1.0
    y = Axis("Loss", min(0.0, losses[0]), high, nice_ticks(min(0.0, losses[0]), high, 5))
    x = epoch_axis(with_epochs)
    frame = FRAME if len(with_epochs) > 1 else ALONE
    return [(fold.number, _one(fold, (x, y), frame)) for fold in with_epochs]


def epoch_axis(folds: Sequence[FoldRecord]) -> Axis:
    """From the first to the last epoch of any of them."""
    numbers = [epoch.number for fold in folds for epoch in fold.epochs]
    first = min(numbers)
    end = max(*numbers, first + 1)
    return Axis("Epoch", first, end, _whole(nice_ticks(first, end, 5)))


def _losses(epoch: Epoch) -> tuple[float | None, float | None]:
    return epoch.train_loss, epoch.valid_loss


def _whole(ticks: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(tick for tick in ticks if tick == round(tick))


def _one(fold: FoldRecord, sides: tuple[Axis, Axis], frame: Frame) -> str:
    y = sides[1]
    axes = Axes(*sides, title=f"Learning curves of fold {fold.number}", frame=frame)
    # the dashed line comes last: it hides nothing where both run together
    for kind, side in (("curve valid", 1), ("curve train", 0)):
        points = [(e.number, _losses(e)[side]) for e in fold.epochs]
        axes.line([(n, min(v, y.high)) for n, v in points if v is not None], kind)
    for best in (e for e in fold.epochs if e.is_best):
        axes.line([(best.number, y.low), (best.number, y.high)], "threshold")
        if best.valid_loss is not None:
            tip = f"epoch {best.number} was kept, validation loss {best.valid_loss:.3f}"
            axes.dot(best.number, min(best.valid_loss, y.high), 4.5, "kept", tip)
    return axes.markup()
