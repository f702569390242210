"""Ranks of cases that several models judged: only what one model said is compared.

A pair of cases from two folds compares two models, not two cases: where their probabilities lie on
different scales the pooled ranking falls apart, and of features that tell nothing it falls below
chance, since the model of a fold leans towards what its own test cases lack (Parker 2007; Airola
2011).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.bounds import area_variance
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.ranking import auroc, weighted_auroc
from wholecase.evaluation.scores import Scores

Positive = Bool[np.ndarray, " M"]
Weights = Float[np.ndarray, "R M"]
Values = Float[np.ndarray, " R"]
Ranking = Callable[[Positive, Float[np.ndarray, " M"], Weights], Values]
Amount = Callable[[Positive, Weights], Values]


def pairs(positive: Positive, weights: Weights) -> Values:
    """How many pairs of a positive and a negative there are: what an AUROC is the mean over."""
    counted: Values = weights[:, positive].sum(axis=1) * weights[:, ~positive].sum(axis=1)
    return counted


def positives(positive: Positive, weights: Weights) -> Values:
    """How many positives there are: what a precision is averaged over; 0 without negatives."""
    counted: Values = weights[:, positive].sum(axis=1) * (weights[:, ~positive].sum(axis=1) > 0)
    return counted


def judged(truth: Int[np.ndarray, " M"], classes: int) -> list[int]:
    """The classes over which a metric is averaged."""
    return [1] if classes == 2 else [int(c) for c in np.unique(truth)]


def apart(ranking: Ranking, amount: Amount) -> Callable[[Scores, Weights], Values]:
    """The ranking of each judge's cases, weighted by the amount that it rests on.

    A judge of whose cases a class is missing has no weight; nan where that holds of all.
    """

    def of_judges(scores: Scores, weights: Weights) -> Values:
        values = [
            of_class(ranking, amount, scores, c, weights)
            for c in judged(scores.truth, scores.classes)
        ]
        mean: Values = np.mean(values, axis=0)
        return mean

    return of_judges


def of_class(
    ranking: Ranking, amount: Amount, scores: Scores, target: int, weights: Weights
) -> Values:
    """`apart` of one class against the rest."""
    total, over = np.zeros(len(weights)), np.zeros(len(weights))
    for own in each_judge(scores):
        positive = scores.truth[own] == target
        here = weights[:, own]
        counts = amount(positive, here)
        value = ranking(positive, scores.probabilities[own, target], here)
        total += np.where(counts > 0, counts * np.nan_to_num(value), 0)
        over += counts
    return fraction(total, over)


def each_judge(scores: Scores) -> Iterator[Bool[np.ndarray, " M"]]:
    """The cases of each judge, in the order of their numbers; all of them where there is one."""
    if scores.judges is None:
        yield np.ones(len(scores.truth), dtype=bool)
        return
    for judge in np.unique(scores.judges):
        yield scores.judges == judge


@dataclass(frozen=True)
class Far:
    """A judge whose cases it ranks otherwise than the others theirs."""

    judge: int
    """Its place among the judges, in the order of their numbers."""
    area: float
    deviations: float
    """How many standard errors it lies above the area of all."""


def far_judges(scores: Scores, alpha: float = 0.05) -> list[Far]:
    """The judges of two classes whose AUROC is further from that of all than chance allows.

    The standard error is Newcombe's (2006) at the area of all, drawn towards one half by a pair so
    that it is not nought; `alpha` holds of all judges together (Bonferroni).
    """
    once = np.ones((1, len(scores.truth)))
    (over,) = of_class(weighted_auroc, pairs, scores, 1, once)
    found, asked = [], 0
    counts = sum(float(pairs(scores.truth[o] == 1, once[:, o])[0]) for o in each_judge(scores))
    at = float((over * counts + 0.5) / (counts + 1)) if counts else 0.5
    for judge, own in enumerate(each_judge(scores)):
        positive = scores.truth[own] == 1
        some, others = int(positive.sum()), int((~positive).sum())
        if not some or not others:
            continue
        asked += 1
        area = auroc(positive, scores.probabilities[own, 1])
        error = float(np.sqrt(area_variance(at, (some + others) / 2 - 1, float(some * others))))
        found.append(Far(judge, area, (area - at) / error))
    reach = float(scipy.special.ndtri(1 - alpha / 2 / max(asked, 1)))
    return [one for one in found if abs(one.deviations) > reach]


def shares_of_pairs(scores: Scores, folds: Sequence[int]) -> dict[int, float]:
    """How much each judge weighs in the AUROC; empty of more than two classes, or without pairs.

    >>> truth, rows = np.array([0, 1, 0, 1, 1]), np.full((5, 2), 0.5)
    >>> said = Scores(truth, rows, truth, tuple("abcde"), np.array([1, 1, 2, 2, 2]))
    >>> {fold: round(share, 3) for fold, share in shares_of_pairs(said, [1, 2]).items()}
    {1: 0.333, 2: 0.667}
    """
    once = np.ones((1, len(scores.truth)))
    counts = [float(pairs(scores.truth[own] == 1, once[:, own])[0]) for own in each_judge(scores)]
    if scores.classes != 2 or not sum(counts):
        return {}
    return {fold: count / sum(counts) for fold, count in zip(folds, counts, strict=True)}
