"""Where each fold put its threshold, drawn on the inner patients that it was put on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Float

from wholecase.evaluation import roc
from wholecase.report.figures.axes import Axes, Axis, Frame, nice_ticks
from wholecase.report.records import FoldRecord

FRAME = Frame(width=440, height=330, left=56, right=16, top=14, bottom=52)
Values = Float[np.ndarray, " S"]


@final
@dataclass(frozen=True)
class Rule:
    """How a rule is told, and the quantity that it makes as great as it can."""

    words: str
    quantity: str = ""
    merit: Callable[[Values, Values, float], Values] | None = None
    """Of sensitivity, specificity and the share of positives; None where none is looked at."""


def _f1(sensitivity: Values, specificity: Values, share: float) -> Values:
    hits, alarms = sensitivity * share, (1 - specificity) * (1 - share)
    merit: Values = 2 * hits / (hits + alarms + share)
    return merit


def _youden(sensitivity: Values, specificity: Values, share: float) -> Values:
    del share
    merit: Values = sensitivity + specificity - 1
    return merit


RULES: dict[str, Rule] = {
    "f1": Rule("where the F1 score of the positive class is best", "F1 score", _f1),
    "swept_f1": Rule(
        "where the F1 score is best, of the hundredths from 0.05 to 0.95, the lowest of equals",
        "F1 score",
        _f1,
    ),
    "youden": Rule("where sensitivity + specificity is best", "Youden's J", _youden),
    "smoothed_f1": Rule(
        "where the F1 score is best on average over redraws of the inner patients, drawn towards "
        "one half as far as the redraws disagree",
        "F1 score",
        _f1,
    ),
    "smoothed_balanced": Rule(
        "where sensitivity + specificity is best on average over redraws of the inner patients, "
        "drawn towards one half as far as the redraws disagree",
        "Youden's J",
        _youden,
    ),
    "half": Rule("at one half, whatever the inner patients say"),
}
"""By the name in `choices.json`; another rule is named, not explained."""


def targeted(name: str) -> Rule | None:
    """A rule that reaches a target, in words; None where the name is of another kind."""
    side, sign, least = name.replace(" ", "").partition(">=")
    if sign and side in {"sensitivity", "specificity"}:
        other = "specificity" if side == "sensitivity" else "sensitivity"
        return Rule(f"where {other} is best among thresholds with a {side} of {least} or more")
    side, sign, cost = name.replace(" ", "").partition("=")
    if sign and side == "cost":
        return Rule(f"where least is lost, if a missed case costs as much as {cost} false alarms")
    return None


@dataclass(frozen=True)
class Inner:
    """What a threshold does to one fold's inner cases: steps over the range from 0 to 1."""

    fold: int
    chosen: float
    edges: Values
    """Value i holds from edge i up to edge i + 1."""
    sensitivity: Float[np.ndarray, " V"]
    specificity: Float[np.ndarray, " V"]
    share: float
    """Of positives among the inner cases."""
    ends: tuple[float, float] | None = None
    """Where 95 % of redraws of the inner patients would have put it."""

    def at_chosen(self, values: Float[np.ndarray, " V"]) -> float:
        """The value at the threshold that was chosen."""
        return float(values[np.searchsorted(self.edges[1:-1], self.chosen, side="right")])

    def staircase(self, values: Float[np.ndarray, " V"]) -> list[tuple[float, float]]:
        """The values as the corners of a line."""
        pairs = zip(self.edges[:-1].tolist(), self.edges[1:].tolist(), values.tolist(), strict=True)
        return [point for left, right, y in pairs for point in ((left, y), (right, y))]


def inner_of(folds: Sequence[FoldRecord], classes: tuple[str, ...]) -> list[Inner]:
    """The folds that kept their inner predictions and chose a threshold on both classes."""
    inners = (_inner(fold, fold.threshold, classes) for fold in folds if fold.threshold is not None)
    return [inner for inner in inners if inner is not None]


def _inner(fold: FoldRecord, chosen: float, classes: tuple[str, ...]) -> Inner | None:
    known = [c for c in fold.inner if c.label in classes and np.isfinite(c.probabilities).all()]
    truth = np.array([classes.index(case.label) for case in known], np.int64)
    score = np.array([case.probabilities[1] for case in known], np.float64)
    if not 0 < truth.sum() < len(truth):
        return None
    curve = roc(truth, score)
    ascending = curve.thresholds[:-1][::-1]
    return Inner(
        fold=fold.number,
        chosen=chosen,
        edges=np.concatenate(([0.0], ascending, [1.0])),
        sensitivity=curve.y[::-1],
        specificity=1 - curve.x[::-1],
        share=float(truth.mean()),
        ends=fold.threshold_ends,
    )


def draw_sides(inners: Sequence[Inner]) -> str:
    """Sensitivity and specificity against the threshold, a pair of lines per fold."""
    y = Axis("Share of inner cases found, or cleared")
    axes = Axes(Axis("Threshold"), y, title="Sensitivity and specificity", frame=FRAME)
    for inner in inners:
        tip = f"fold {inner.fold}"
        axes.line(inner.staircase(inner.specificity), "of-fold other", f"{tip}: specificity")
        axes.line(inner.staircase(inner.sensitivity), "of-fold", f"{tip}: sensitivity")
    for inner in inners:
        _mark(axes, inner, (inner.sensitivity, "sensitivity", "kept"))
        _mark(axes, inner, (inner.specificity, "specificity", "kept open"))
    return axes.markup()


def draw_rule(inners: Sequence[Inner], rule: Rule) -> str:
    """What the rule looked at, a line per fold; no drawing for a rule that looks at nothing."""
    if rule.merit is None:
        return ""
    merits = [rule.merit(inner.sensitivity, inner.specificity, inner.share) for inner in inners]
    low = min(0.0, *(float(merit.min()) for merit in merits))
    y = Axis(f"{rule.quantity} on inner cases", low, 1, nice_ticks(low, 1, 7))
    axes = Axes(Axis("Threshold"), y, title=rule.quantity, frame=FRAME)
    for inner, merit in zip(inners, merits, strict=True):
        axes.line(inner.staircase(merit), "of-fold", f"fold {inner.fold}: {rule.quantity}")
    for inner, merit in zip(inners, merits, strict=True):
        _reach(axes, inner, inner.at_chosen(merit))
        _mark(axes, inner, (merit, rule.quantity, "kept"))
    return axes.markup()


def _mark(axes: Axes, inner: Inner, shown: tuple[Values, str, str]) -> None:
    values, name, kind = shown
    value = inner.at_chosen(values)
    tip = f"fold {inner.fold}: threshold {inner.chosen:.2f}, {name} {value:.2f}"
    axes.dot(inner.chosen, value, 5.5, kind, tip)


def _reach(axes: Axes, inner: Inner, y: float) -> None:
    """How far redraws would have moved the threshold."""
    if inner.ends is not None:
        low, high = inner.ends
        tip = f"fold {inner.fold}: 95 % of redraws choose {low:.2f}–{high:.2f}"
        axes.line([(low, y), (high, y)], "whisker", tip)
