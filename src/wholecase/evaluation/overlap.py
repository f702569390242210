"""Where several judges of the same cases agree, and where they err together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from wholecase.core.errors import RunError
from wholecase.evaluation.interval import Interval
from wholecase.evaluation.intervals import REPEATS, mean_interval
from wholecase.evaluation.scores import Scores


@dataclass(frozen=True)
class Errors:
    """How many are judged wrongly by both of two judges, by one, by none."""

    neither: int
    """Wrong by none: both are right."""
    first: int
    """Wrong by the first alone."""
    second: int
    both: int


@dataclass(frozen=True)
class Overlap:
    """What the judges of a set of cases have in common."""

    agreement: Interval
    """Share of cases that all decide alike, rightly or not."""
    disagreement: Interval
    oracle: Interval
    """Accuracy of one who always knew whom to ask: the share that at least one decides rightly."""
    cases: Errors | None
    """Of two judges; None of more."""
    patients: Errors | None
    """A patient is wrong by both if one of the cases is, and so on: one may count twice."""


def overlap(judges: Sequence[Scores], *, repeats: int = REPEATS, seed: int) -> Overlap:
    """Agreement, oracle and shared errors, with intervals by patient.

    Raises:
        RunError: the judges do not judge the same cases in the same order.
    """
    first = judges[0]
    for other in judges[1:]:
        if first.patients != other.patients or not np.array_equal(first.truth, other.truth):
            raise RunError("an overlap needs the same cases of all judges, in the same order")
    decisions = np.stack([judge.decision for judge in judges])  # [J, M]
    right = decisions == first.truth
    agree = (decisions == decisions[0]).all(0)
    two = right[0], right[-1]
    agreement, disagreement, oracle = (
        mean_interval(
            share.astype(np.float64), first.patients, within=(0.0, 1.0), repeats=repeats, seed=seed
        )
        for share in (agree, ~agree, right.any(0))
    )
    return Overlap(
        agreement=agreement,
        disagreement=disagreement,
        oracle=oracle,
        cases=_errors(two, np.arange(len(first.truth))) if len(judges) == 2 else None,
        patients=_errors(two, np.array(first.patients)) if len(judges) == 2 else None,
    )


def _errors(
    right: tuple[Bool[np.ndarray, " M"], Bool[np.ndarray, " M"]], whose: np.ndarray
) -> Errors:
    first, second = right
    of = (first & second, ~first & second, first & ~second, ~first & ~second)
    return Errors(*(len(np.unique(whose[own])) for own in of))
