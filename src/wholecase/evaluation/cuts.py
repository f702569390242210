"""Thresholds between neighbouring scores, and which of them are best in how many redraws."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.redraws import redraws
from wholecase.evaluation.smoothing import REDRAWS

Counts = Float[np.ndarray, "R G"]
Totals = Float[np.ndarray, "R 1"]
Merit = Callable[[Counts, Counts, Totals, Totals], Counts]
"""Of positives and negatives above each of G thresholds, and of all of them, in R weightings."""


@dataclass(frozen=True)
class Gaps:
    """The thresholds to choose from: every gap between neighbouring scores.

    Calling all cases the same is no choice.
    """

    scores: Float[np.ndarray, " S"]
    group: Int[np.ndarray, " M"]

    @property
    def width(self) -> Float[np.ndarray, " G"]:
        """How far its two scores lie apart."""
        return np.diff(self.scores.astype(np.float64))

    @property
    def middle(self) -> Float[np.ndarray, " G"]:
        """Half way between them."""
        return self.scores[:-1].astype(np.float64) + self.width / 2

    def above(self, counted: Bool[np.ndarray, " M"], weights: Float[np.ndarray, "R M"]) -> Counts:
        """Weight of the counted cases above each gap."""
        order = np.argsort(self.group, kind="stable")
        starts = np.searchsorted(self.group[order], np.arange(len(self.scores)))
        each = np.add.reduceat((weights * counted)[:, order], starts, axis=1)
        beyond: Counts = (each.sum(axis=1, keepdims=True) - np.cumsum(each, axis=1))[:, :-1]
        return beyond


def _gaps(probability: Float[np.ndarray, " M"]) -> Gaps:
    return Gaps(*np.unique(probability, return_inverse=True))


def _merits(
    truth: Int[np.ndarray, " M"],
    gaps: Gaps,
    weights: Float[np.ndarray, "R M"],
    merit: Merit,
) -> Counts:
    positive = truth == 1
    totals = [(weights @ side.astype(np.float64))[:, None] for side in (positive, ~positive)]
    return merit(gaps.above(positive, weights), gaps.above(~positive, weights), *totals)


def best_cut(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    merit: Merit,
    weights: Float[np.ndarray, " M"] | None = None,
) -> float:
    """The middle of the widest range of thresholds that are all best."""
    gaps = _gaps(probability)
    counted = np.ones(len(truth)) if weights is None else weights
    merits = _merits(truth, gaps, counted[None], merit)[0]
    best = np.concatenate(([False], merits == merits.max(), [False]))
    starts = np.flatnonzero(~best[:-1] & best[1:])
    ends = np.flatnonzero(best[:-1] & ~best[1:])
    scores = gaps.scores
    widest = int(np.argmax(scores[ends] - scores[starts]))
    return _middle(scores[starts[widest]], scores[ends[widest]])


def redrawn_cuts(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    patients: Sequence[str],
    how: tuple[Merit, int],
) -> Float[np.ndarray, " R"]:
    """The mean of all best thresholds, in each redraw of the patients that has both classes."""
    merit, seed = how
    gaps, chosen = _gaps(probability), [np.empty(0)]
    for drawn in redraws(tuple(patients), REDRAWS, seed):
        has_both = [(drawn @ (truth == c).astype(np.float64)) > 0 for c in (0, 1)]
        weights = drawn[has_both[0] & has_both[1]]
        if len(weights):
            merits = _merits(truth, gaps, weights, merit)
            is_best = merits >= merits.max(axis=1, keepdims=True) - 1e-12
            best = is_best * gaps.width
            chosen.append(best @ gaps.middle / best.sum(axis=1))
    return np.concatenate(chosen)


def values_at(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    merit: Merit,
    thresholds: Float[np.ndarray, " G"],
) -> Float[np.ndarray, " G"]:
    """The merit of some thresholds."""
    called = probability[:, None] > thresholds
    sides = [truth == 1, truth != 1]
    above = [called[side].sum(axis=0, keepdims=True).astype(np.float64) for side in sides]
    totals = [np.full((1, 1), float(side.sum())) for side in sides]
    merits: Float[np.ndarray, " G"] = merit(above[0], above[1], totals[0], totals[1])[0]
    return merits


def _middle(low: np.floating, high: np.floating) -> float:
    """Half way, but never as high as `high` in the precision of the scores themselves."""
    middle = (float(low) + float(high)) / 2
    return middle if type(high)(middle) < high else float(low)
