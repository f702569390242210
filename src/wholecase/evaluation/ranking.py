"""Areas under curves from ranks, exact with ties, for many weightings of the cases at once."""

import numpy as np
from jaxtyping import Bool, Float

from wholecase.evaluation.fraction import fraction


def auroc(positive: Bool[np.ndarray, " M"], score: Float[np.ndarray, " M"]) -> float:
    """Chance that a positive scores higher than a negative, ties counting half (Hanley 1982).

    nan where one side is empty.

    >>> auroc(np.array([False, False, True]), np.array([0.1, 0.6, 0.6]))
    0.75
    """
    if positive.all() or not positive.any():
        return float("nan")
    return float(weighted_auroc(positive, score, np.ones((1, len(score))))[0])


def weighted_auroc(
    positive: Bool[np.ndarray, " M"],
    score: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """`auroc` for R weightings; a weight of 2 is a case that is there twice."""
    hits, misses = _by_score(positive, score, weights)  # [R, G], lowest score first
    below = np.cumsum(misses, axis=1) - misses
    won = (hits * (below + misses / 2)).sum(axis=1)
    return fraction(won, hits.sum(axis=1) * misses.sum(axis=1))


def weighted_precision(
    positive: Bool[np.ndarray, " M"],
    score: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """Average precision for R weightings: precision at each threshold, weighted by recall gained.

    No interpolation (Davis 2006). nan where only one class is there: without negatives it is 1
    for any score.
    """
    hits, misses = _by_score(positive, -score, weights)  # [R, G], highest score first
    found = np.cumsum(hits, axis=1)
    wrong = np.cumsum(misses, axis=1)
    # a group of weight 0 at the top has precision 0/0, and gains no recall
    precision = np.nan_to_num(fraction(found, found + wrong))
    area = fraction((hits * precision).sum(axis=1), found[:, -1])
    return np.where(wrong[:, -1] > 0, area, np.nan)


def _by_score(
    positive: Bool[np.ndarray, " M"],
    score: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> tuple[Float[np.ndarray, "R G"], Float[np.ndarray, "R G"]]:
    """Weight of positives and of negatives at each of the G distinct scores, ascending."""
    order = np.argsort(score, kind="stable")
    ascending = score[order]
    starts = np.flatnonzero(np.concatenate(([True], ascending[1:] != ascending[:-1])))
    sorted_weights = weights[:, order]
    hits = np.add.reduceat(sorted_weights * positive[order], starts, axis=1)
    return hits, np.add.reduceat(sorted_weights, starts, axis=1) - hits
