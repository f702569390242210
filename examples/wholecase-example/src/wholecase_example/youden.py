"""How much better than guessing the decisions are."""

import numpy as np

from wholecase.evaluation import Metric


def youden(
    truth: np.ndarray, probabilities: np.ndarray, decision: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Of R weightings [R, M] of the cases; nan where a class is left out."""
    del probabilities
    rates = []
    for own in (0, 1):
        of_class = weights[:, truth == own]
        right = of_class @ (decision[truth == own] == own)
        total = of_class.sum(1)
        rates.append(np.divide(right, total, out=np.full(len(total), np.nan), where=total > 0))
    return rates[0] + rates[1] - 1


YOUDEN = Metric(
    youden,
    rests_on="decisions",
    over="classes",
    needs=(0, 1),
    within=(-1.0, 1.0),
    two_classes_only=True,
    says="Youden's J, sensitivity plus specificity less one: 0 is guessing, 1 is perfect.",
)
