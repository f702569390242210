"""Precision against sensitivity, over all thresholds."""

from wholecase.evaluation import Curve, precision_recall
from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import shorten


def draw_precision_recall(cases: Judged) -> str:
    """With two classes, pooled and by fold, and where the decisions stand; else class by class."""
    axes = Axes(
        Axis("Sensitivity (share of the class that is found)"),
        Axis("Precision (share of the called that is right)"),
        title="Precision and sensitivity",
        frame=Frame(),
    )
    if len(cases.classes) == 2:
        _pooled(axes, cases)
    else:
        _each(axes, cases)
    return axes.markup()


def steps(curve: Curve) -> list[tuple[float, float]]:
    """The corners of the staircase whose area is the AUPRC."""
    points, recall = [], 0.0
    for x, y in zip(curve.x.tolist(), curve.y.tolist(), strict=True):
        if x > recall:  # where nobody is found, precision falls over no width at all
            points += [(recall, y), (x, y)]
        recall = x
    return points


def _pooled(axes: Axes, cases: Judged) -> None:
    share = float((cases.truth == 1).mean())
    axes.line([(0, share), (1, share)], "chance")
    folds = [fold for fold in cases.by_fold() if fold.has_both(1)]
    for fold in folds if len(folds) > 1 else ():
        tip = f"fold {fold.fold[0]}"
        axes.line(steps(precision_recall(*fold.against_rest(1))), "curve-fold", tip)
    axes.line(steps(precision_recall(*cases.against_rest(1))), "curve main")
    called = cases.decision == 1
    if called.any():
        right = called & (cases.truth == 1)
        x, y = right.sum() / (cases.truth == 1).sum(), right.sum() / called.sum()
        axes.dot(
            float(x), float(y), 6, "kept", f"decisions: sensitivity {x:.2f}, precision {y:.2f}"
        )
    entries = [("curve main", "all folds pooled" if len(folds) > 1 else "model")]
    entries += [("curve-fold", "each fold")] if len(folds) > 1 else []
    entries.append(("chance", f"share of {shorten(cases.classes[1], 14)}: {share:.2f}"))
    axes.legend(entries, 0.03, 0.04 + 0.056 * (len(entries) - 1))


def _each(axes: Axes, cases: Judged) -> None:
    entries = []
    for target in cases.targets:
        if not cases.has_both(target):
            continue
        kind = f"curve series-{target % 7}"
        points = steps(precision_recall(*cases.against_rest(target)))
        axes.line(points, kind, cases.classes[target])
        entries.append((kind, shorten(cases.classes[target], 16)))
    axes.legend(entries, 0.03, 0.04 + 0.056 * (len(entries) - 1))
