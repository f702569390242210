"""Sensitivity against false alarms, over all thresholds."""

from wholecase.evaluation import auroc, roc
from wholecase.report.figures.axes import Axes, Axis, Frame
from wholecase.report.figures.judged import Judged
from wholecase.report.figures.svg import shorten


def draw_roc(cases: Judged) -> str:
    """With two classes, pooled and by fold, and where the decisions stand; else class by class."""
    axes = Axes(
        Axis("False alarms (1 − specificity)"),
        Axis("Sensitivity"),
        title="ROC curve",
        frame=Frame(),
    )
    axes.line([(0, 0), (1, 1)], "chance")
    if len(cases.classes) == 2:
        _pooled(axes, cases)
    else:
        _each(axes, cases)
    return axes.markup()


def _pooled(axes: Axes, cases: Judged) -> None:
    folds = [fold for fold in cases.by_fold() if fold.has_both(1)]
    for fold in folds if len(folds) > 1 else ():
        truth, score = fold.against_rest(1)
        curve = roc(truth, score)
        tip = f"fold {fold.fold[0]}: AUROC {auroc(truth == 1, score):.2f}"
        axes.line(zip(curve.x, curve.y, strict=True), "curve-fold", tip)
    curve = roc(*cases.against_rest(1))
    axes.line(zip(curve.x, curve.y, strict=True), "curve main")
    x, y = operating_point(cases)
    axes.dot(x, y, 6, "kept", f"decisions: sensitivity {y:.2f}, specificity {1 - x:.2f}")
    entries = [("curve main", "all folds pooled" if len(folds) > 1 else "model")]
    entries += [("curve-fold", "each fold")] if len(folds) > 1 else []
    axes.legend([*entries, ("chance", "coin toss")], 0.62, 0.04 + 0.056 * len(entries))


def operating_point(cases: Judged) -> tuple[float, float]:
    """False positive rate and sensitivity of the decisions on two classes."""
    called = cases.decision == 1
    return float(called[cases.truth == 0].mean()), float(called[cases.truth == 1].mean())


def _each(axes: Axes, cases: Judged) -> None:
    entries = []
    for target in cases.targets:
        if not cases.has_both(target):
            continue
        truth, score = cases.against_rest(target)
        curve = roc(truth, score)
        kind, name = f"curve series-{target % 7}", shorten(cases.classes[target], 14)
        axes.line(zip(curve.x, curve.y, strict=True), kind, cases.classes[target])
        entries.append((kind, f"{name} {auroc(truth == 1, score):.2f}"))
    axes.legend(entries, 0.47, 0.04 + 0.056 * (len(entries) - 1))
