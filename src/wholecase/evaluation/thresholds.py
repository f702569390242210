"""Where to cut a probability in two: positive is what lies above the threshold (p > t)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Int

Threshold = Callable[[Int[np.ndarray, " M"], Float[np.ndarray, " M"]], float]


def half(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
    """One half, whatever the data say.

    >>> half(np.array([0, 1]), np.array([0.8, 0.9]))
    0.5
    """
    del truth, probability
    return 0.5


def f1(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
    """Where the positive class has its best F1.

    >>> f1(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.7]))
    0.4
    """
    return _best(truth, probability, _f1)


def youden(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
    """Where sensitivity + specificity is best (Youden 1950).

    >>> youden(np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.7]))
    0.4
    """
    return _best(truth, probability, _youden)


THRESHOLDS: dict[str, Threshold] = {"f1": f1, "youden": youden, "half": half}

Counts = Int[np.ndarray, " G"]
Merit = Callable[[Counts, Counts, int, int], Float[np.ndarray, " G"]]


def _f1(found: Counts, wrong: Counts, positives: int, negatives: int) -> Float[np.ndarray, " G"]:
    del negatives
    merit: Float[np.ndarray, " G"] = 2 * found / (found + wrong + positives)
    return merit


def _youden(
    found: Counts, wrong: Counts, positives: int, negatives: int
) -> Float[np.ndarray, " G"]:
    # times P x N: whole numbers, so that equally good is exactly equal
    merit: Float[np.ndarray, " G"] = (found * negatives - wrong * positives).astype(np.float64)
    return merit


def _best(
    truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"], merit: Merit
) -> float:
    """The middle of the widest range of thresholds that are all best; one half without a choice.

    Every gap between neighbouring scores is a candidate; calling all cases the same is none.
    """
    positive = truth == 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    scores, group = np.unique(probability, return_inverse=True)
    if positives == 0 or negatives == 0 or len(scores) < 2:
        return 0.5
    found = positives - np.cumsum(np.bincount(group, positive)).astype(np.int64)[:-1]
    wrong = negatives - np.cumsum(np.bincount(group, ~positive)).astype(np.int64)[:-1]
    merits = merit(found, wrong, positives, negatives)  # of the gap above each score but the last
    best = np.concatenate(([False], merits == merits.max(), [False]))
    starts = np.flatnonzero(~best[:-1] & best[1:])
    ends = np.flatnonzero(best[:-1] & ~best[1:])
    widest = int(np.argmax(scores[ends] - scores[starts]))
    return _middle(scores[starts[widest]], scores[ends[widest]])


def _middle(low: np.floating, high: np.floating) -> float:
    """Half way, but never as high as `high` in the precision of the scores themselves."""
    middle = (float(low) + float(high)) / 2
    return middle if type(high)(middle) < high else float(low)
