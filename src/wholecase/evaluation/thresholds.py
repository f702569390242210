"""Where to cut a probability in two: positive is what lies above the threshold (p > t)."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import final

import numpy as np
from jaxtyping import Float, Int

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.core.table import Table
from wholecase.evaluation.cuts import (
    Counts,
    Merit,
    Totals,
    best_cut,
    redrawn_cuts,
    values_at,
)
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.smoothing import smoothed

HALF = 0.5


@dataclass(frozen=True)
class ThresholdChoice:
    """A threshold, how sure it is, and what it is worth on the cases that it was chosen on."""

    value: float
    low: float | None
    high: float | None
    """95 % of what redraws of the patients would have chosen; None where nothing is chosen."""
    score: float | None
    """What the rule looks at, at the threshold; None where it looks at nothing."""
    score_at_half: float | None
    """The same at one half."""

    def to_json(self) -> dict[str, float | None]:
        """As `choices.json` may hold it."""
        return asdict(self)


@final
@dataclass(frozen=True)
class ThresholdRule:
    """How a threshold follows from cases whose truth is known."""

    quantity: str = ""
    """What is made as great as can be."""
    merit: Merit | None = None
    """None where nothing is looked at."""
    is_smoothed: bool = False
    """Whether redraws of the patients choose, and their mean is drawn towards a default."""
    among: tuple[float, ...] = ()
    """The thresholds that are tried, and the lowest of the best is taken; none are all gaps."""

    def __call__(self, truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
        """The threshold alone, each case standing for itself."""
        if self.merit is None or not _has_choice(truth, probability):
            return HALF
        if not self.is_smoothed:
            return self._best(truth, probability, self.merit)
        order = np.lexsort((truth, probability))
        return self.choose(truth[order], probability[order], _numbered(len(order))).value

    def choose(
        self,
        truth: Int[np.ndarray, " M"],
        probability: Float[np.ndarray, " M"],
        patients: Sequence[str],
        *,
        seed: int = 0,
        default: float = HALF,
    ) -> ThresholdChoice:
        """The threshold with its interval by patient, and what one half would have given.

        Smoothing draws it towards `default`: what was one half before the probabilities were
        shifted, if they were.
        """
        if self.merit is None or not _has_choice(truth, probability):
            value = HALF if self.merit is None else default
            return ThresholdChoice(value, None, None, None, None)
        drawn = smoothed(redrawn_cuts(truth, probability, patients, (self.merit, seed)), default)
        value = drawn.value if self.is_smoothed else self._best(truth, probability, self.merit)
        merits = values_at(truth, probability, self.merit, np.array([value, HALF]))
        return ThresholdChoice(value, drawn.low, drawn.high, float(merits[0]), float(merits[1]))

    def at_prevalence(
        self,
        truth: Int[np.ndarray, " M"],
        probability: Float[np.ndarray, " M"],
        prevalence: float,
    ) -> float:
        """The threshold where positives have that share: each class counts as often as it would.

        `probability` is what is said there. Redraws do not smooth it.
        """
        if self.merit is None or not _has_choice(truth, probability):
            return HALF
        share = float((truth == 1).mean())
        weights = np.where(truth == 1, prevalence / share, (1 - prevalence) / (1 - share))
        return best_cut(truth, probability, self.merit, weights)

    def _best(
        self, truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"], merit: Merit
    ) -> float:
        if not self.among:
            return best_cut(truth, probability, merit)
        merits = values_at(truth, probability, merit, np.array(self.among))
        return self.among[int(np.argmax(merits))]


def _f1(found: Counts, wrong: Counts, positives: Totals, negatives: Totals) -> Counts:
    del negatives
    return fraction(2 * found, found + wrong + positives)


def _youden(found: Counts, wrong: Counts, positives: Totals, negatives: Totals) -> Counts:
    # of whole numbers, so that equally good is exactly equal
    merit: Counts = (found * negatives - wrong * positives) / (positives * negatives)
    return merit


THRESHOLDS: Table[ThresholdRule] = Table(
    "threshold",
    {
        "f1": ThresholdRule("F1 score", _f1),
        "swept_f1": ThresholdRule("F1 score", _f1, among=tuple(n / 100 for n in range(5, 96))),
        "youden": ThresholdRule("Youden's J", _youden),
        "half": ThresholdRule(),
        "smoothed_f1": ThresholdRule("F1 score", _f1, is_smoothed=True),
        "smoothed_balanced": ThresholdRule("Youden's J", _youden, is_smoothed=True),
    },
    ThresholdRule,
)
"""Youden's J is twice the balanced accuracy, less one (Youden 1950)."""


TARGETED = re.compile(r"(sensitivity|specificity)>=(0?\.\d+)|cost=(\d+(?:\.\d+)?)")
"""Rules with a number of their own."""


def threshold_rule(text: str, what: str = "threshold rule") -> ThresholdRule:
    """A rule by name, or one with a target of its own.

    `sensitivity>=0.95` and `specificity>=0.9` are such, and `cost=5`: a missed case costs as much
    as five false alarms.

    Of the thresholds that reach the target on the inner cases the one with the best of the other
    side is taken; where none does, the nearest.

    Raises:
        RecipeError: there is no such rule; `what` is what it is called.
    """
    found = TARGETED.fullmatch(text.replace(" ", ""))
    if found is None:
        return look_up(THRESHOLDS, text, what)
    side, least, cost = found.groups()
    if cost is not None:
        if not float(cost) > 0:
            raise RecipeError(f"{text!r} makes a missed case cost nothing; write a cost above 0")
        return ThresholdRule("net benefit", _worth(float(cost)))
    if side == "sensitivity":
        return ThresholdRule("specificity", _reaching(float(least)))
    return ThresholdRule("sensitivity", _reaching(float(least), of_negatives=True))


def _worth(cost: float) -> Merit:
    def merit(found: Counts, wrong: Counts, positives: Totals, negatives: Totals) -> Counts:
        worth: Counts = (cost * found - wrong) / (positives + negatives)
        return worth

    return merit


def _reaching(least: float, *, of_negatives: bool = False) -> Merit:
    """The other side's share where the target is reached; else below 0, by what lacks."""

    def merit(found: Counts, wrong: Counts, positives: Totals, negatives: Totals) -> Counts:
        shares = found / positives, 1 - wrong / negatives
        asked, other = reversed(shares) if of_negatives else shares
        lacking = asked < least - 1e-9
        merits: Counts = np.where(lacking, asked - least - 1, other)
        return merits

    return merit


def _has_choice(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> bool:
    """Whether both classes are there, with more than one score."""
    return len(np.unique(truth == 1)) == 2 and len(np.unique(probability)) > 1


def _numbered(cases: int) -> tuple[str, ...]:
    return tuple(f"{i:09d}" for i in range(cases))
