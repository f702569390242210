"""The metrics by name: one number for many cases."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.counting import f1s, recalls, specificities, weighted_confusion
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.ranking import weighted_auroc, weighted_precision

Truth = Int[np.ndarray, " M"]
Probabilities = Float[np.ndarray, "M C"]
Decision = Int[np.ndarray, " M"]
Weights = Float[np.ndarray, "R M"]
Values = Float[np.ndarray, " R"]


@final
@dataclass(frozen=True)
class Metric:
    """One number for M cases; nan where it is undefined, for instance when one class is there.

    With two classes the second is the positive one. With more, a metric is the plain mean of its
    one-against-rest values over the classes that occur in the truth.
    """

    weighted: Callable[[Truth, Probabilities, Decision, Weights], Values]
    """The same for R weightings of the cases at once (a weight of 2: the case is there twice).

    A weighting that leaves out a class which occurs in the truth gives nan where the metric needs
    that class: a mean over fewer classes would be another quantity.
    """

    def __call__(
        self,
        truth: Int[np.ndarray, " M"],
        probabilities: Float[np.ndarray, "M C"],
        decision: Int[np.ndarray, " M"],
    ) -> float:
        """The value with each case counted once."""
        return float(self.weighted(truth, probabilities, decision, np.ones((1, len(truth))))[0])


def _judged(truth: Int[np.ndarray, " M"], classes: int) -> list[int]:
    """The classes over which a metric is averaged."""
    return [1] if classes == 2 else [int(c) for c in np.unique(truth)]


Ranking = Callable[
    [Bool[np.ndarray, " M"], Float[np.ndarray, " M"], Float[np.ndarray, "R M"]],
    Float[np.ndarray, " R"],
]
Counting = Callable[[Float[np.ndarray, "R C C"]], Float[np.ndarray, "R C"]]


def _of_ranks(ranking: Ranking) -> Metric:
    def weighted(
        truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
    ) -> Values:
        del decision
        judged = _judged(truth, probabilities.shape[1])
        values = [ranking(truth == c, probabilities[:, c], weights) for c in judged]
        mean: Values = np.mean(values, axis=0)
        return mean

    return Metric(weighted)


def _of_counts(counting: Counting, *, over_occurring: bool = False) -> Metric:
    def weighted(
        truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
    ) -> Values:
        classes = probabilities.shape[1]
        judged = np.unique(truth) if over_occurring else _judged(truth, classes)
        table = weighted_confusion(truth, decision, classes, weights)
        mean: Values = counting(table)[:, judged].mean(axis=1)
        return mean

    return Metric(weighted)


def _accuracy(
    truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
) -> Values:
    del probabilities
    return fraction(weights @ (truth == decision).astype(np.float64), weights.sum(axis=1))


def _brier(
    truth: Truth, probabilities: Probabilities, decision: Decision, weights: Weights
) -> Values:
    del decision
    classes = probabilities.shape[1]
    misses = (probabilities.astype(np.float64) - np.eye(classes)[truth]) ** 2  # [M, C]
    # with two classes the score of the positive one alone, as the literature has it (Brier 1950)
    per_case = misses[:, 1] if classes == 2 else misses.sum(axis=1)
    return fraction(weights @ per_case, weights.sum(axis=1))


METRICS: dict[str, Metric] = {
    "auroc": _of_ranks(weighted_auroc),
    "auprc": _of_ranks(weighted_precision),
    "balanced_accuracy": _of_counts(recalls, over_occurring=True),
    "f1": _of_counts(f1s),
    "sensitivity": _of_counts(recalls),
    "specificity": _of_counts(specificities),
    "accuracy": Metric(_accuracy),
    "brier": Metric(_brier),
}
"""All but `brier` are better when higher."""
