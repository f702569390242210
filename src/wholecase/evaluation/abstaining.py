"""When not to decide: a zone in which a case is referred, and sets that hold the truth."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.interval import Interval
from wholecase.evaluation.intervals import mean_interval

SURE = 0.95
"""Sensitivity of what is called negative, and specificity of what is called positive."""
COVERS = 0.9
"""Share of cases whose set ought to hold their class."""


@dataclass(frozen=True)
class Zone:
    """Probabilities of the positive class between which a case is referred: low < p <= high."""

    low: float
    high: float

    def holds(self, positive: Float[np.ndarray, " M"]) -> Bool[np.ndarray, " M"]:
        """Whether each case is referred."""
        return (positive > self.low) & (positive <= self.high)


def zone_of(
    truth: Int[np.ndarray, " M"], positive: Float[np.ndarray, " M"], sure: float = SURE
) -> Zone | None:
    """The zone on cases whose truth is known: few positives lie below it, few negatives above.

    The lower end is the highest at which sensitivity is `sure` at least, the upper end the lowest
    at which specificity is; where they cross no case need be referred and both are the upper one.
    None where a class is missing, or has too few cases to be that sure of any.
    """
    sides = [np.sort(positive[truth == c].astype(np.float64)) for c in (0, 1)]
    if min(map(len, sides)) < 1 / (1 - sure) - 1:
        return None
    lost = int(np.floor((1 - sure) * len(sides[1]) + 1e-9))
    called = int(np.floor((1 - sure) * len(sides[0]) + 1e-9))
    below = np.nextafter(sides[1][lost], -np.inf)
    high = float(sides[0][len(sides[0]) - 1 - called])
    return Zone(min(float(below), high), high)


def set_limits(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    patients: Sequence[str],
    covers: float = COVERS,
) -> Float[np.ndarray, " C"]:
    """Of each class the least probability at which it belongs to a case's set; by patient.

    Class-conditional split conformal prediction (Vovk 2012): of patients of the class who did not
    teach the model, `covers` have their class in their set, and so have new ones who are like them.
    A patient with several cases counts by the worst. Of a class with fewer patients than that needs
    (9 for 0.9) the limit is 0: it belongs to every set, since nothing can be promised of it.
    """
    whose = np.array(patients, dtype=object).astype(str)
    limits = np.zeros(probabilities.shape[1])
    for target in range(len(limits)):
        own = truth == target
        worst: dict[str, float] = {}
        for name, p in zip(whose[own], probabilities[own, target], strict=True):
            worst[name] = min(worst.get(name, 1.0), float(p))
        values = np.sort(np.array(list(worst.values())))
        beyond = int(np.floor((len(values) + 1) * (1 - covers) + 1e-9))
        if beyond >= 1:
            limits[target] = values[beyond - 1]
    return limits


def sets_of(
    probabilities: Float[np.ndarray, "M C"], limits: Float[np.ndarray, " C"]
) -> Bool[np.ndarray, "M C"]:
    """Which classes belong to the set of each case."""
    return probabilities >= limits


def share(
    holds: Bool[np.ndarray, " M"], patients: Sequence[str], *, repeats: int, seed: int
) -> Interval:
    """The share of cases of which it holds, by patient."""
    values = holds.astype(np.float64)
    return mean_interval(values, tuple(patients), within=(0.0, 1.0), repeats=repeats, seed=seed)
