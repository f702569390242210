"""Areas under ROC curves of the same cases against each other (DeLong et al. 1988).

Placements come from ranks (Sun & Xu 2014), which takes n log n instead of all pairs. A patient's
cases stand together (Obuchowski 1997): with one case each it is DeLong's formula. Probabilities of
several models are of one scale only where one calibration made them so: with `folds` only pairs
within a fold are compared, each fold counts by its pairs, and its patients are independent of those
of other folds.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.interval import UNDEFINED, Gap, Interval, without_ends

LEAST = 10
"""Patients of either class below which the normal approximation is not told."""
TOO_FEW_RANKED = f"fewer than {LEAST} patients of a class"
ONE_OF_CLASS = "a fold has a single patient of a class, so that its variance is unknown"

ORDERED_ALIKE = "the cases are ordered alike, or perfectly by both: nothing varies"


@dataclass(frozen=True)
class Areas:
    """The areas of J scores, and how they vary together."""

    values: Float[np.ndarray, " J"]
    covariance: Float[np.ndarray, "J J"]
    """nan where a fold that counts has a single patient of a class."""


def areas(
    positive: Bool[np.ndarray, " M"],
    scores: Float[np.ndarray, "M J"],
    patients: Sequence[str],
    folds: Int[np.ndarray, " M"] | None = None,
) -> Areas:
    """Of each score its chance that a positive is above a negative, within folds if these are told.

    nan where no fold has both classes.
    """
    whose = np.unique(np.array(patients, dtype=object).astype(str), return_inverse=True)[1]
    parts = np.zeros(len(positive), np.int64) if folds is None else folds
    sums = np.zeros(scores.shape[1]), np.zeros((scores.shape[1],) * 2)
    pairs = 0.0
    for part in np.unique(parts):
        own = parts == part
        weight = float((own & positive).sum() * (own & ~positive).sum())
        if weight:
            values, covariance = _of_fold(positive[own], scores[own], whose[own])
            sums = sums[0] + weight * values, sums[1] + weight**2 * covariance
            pairs += weight
    if not pairs:
        return Areas(np.full(scores.shape[1], np.nan), np.full((scores.shape[1],) * 2, np.nan))
    return Areas(sums[0] / pairs, sums[1] / pairs**2)


def delong(
    positive: Bool[np.ndarray, " M"],
    scores: Float[np.ndarray, "M 2"],
    patients: Sequence[str],
    folds: Int[np.ndarray, " M"] | None = None,
    *,
    alpha: float = 0.05,
) -> Gap:
    """The area of the first score less that of the second, with its interval."""
    both, n = areas(positive, scores, patients, folds), len(set(patients))
    several = folds is not None and len(np.unique(folds)) > 1
    how = f"DeLong's test{', pairs within folds,' if several else ''} on {n} patients"
    value = float(both.values[0] - both.values[1])
    if np.isnan(value):
        return Gap(without_ends(None, n, UNDEFINED), None, how)
    if _fewest(positive, patients) < LEAST:
        return Gap(without_ends(value, n, TOO_FEW_RANKED), None, how)
    variance = float(both.covariance[0, 0] + both.covariance[1, 1] - 2 * both.covariance[0, 1])
    if not variance > 1e-15:
        reason = ONE_OF_CLASS if np.isnan(variance) else ORDERED_ALIKE
        return Gap(without_ends(value, n, reason), None, how)
    deviation = variance**0.5
    reach = float(scipy.special.ndtri(1 - alpha / 2)) * deviation
    ends = max(value - reach, -1.0), min(value + reach, 1.0)
    p = float(2 * scipy.special.ndtr(-abs(value) / deviation))
    return Gap(Interval(value, *ends, n, "formula"), p, how)


def _fewest(positive: Bool[np.ndarray, " M"], patients: Sequence[str]) -> int:
    whose = np.array(patients, dtype=object)
    return min(len(set(whose[own])) for own in (positive, ~positive))


def _of_fold(
    positive: Bool[np.ndarray, " M"],
    scores: Float[np.ndarray, "M J"],
    whose: Int[np.ndarray, " M"],
) -> tuple[Float[np.ndarray, " J"], Float[np.ndarray, "J J"]]:
    """Areas and their covariance, both classes being there."""
    from scipy.stats import rankdata

    hits, misses = int(positive.sum()), int((~positive).sum())
    # of a positive the share of negatives below it, of a negative that of positives above it
    everyone, high, low = (
        rankdata(part, axis=0) for part in (scores, scores[positive], scores[~positive])
    )
    above = (everyone[positive] - high) / misses
    below = 1 - (everyone[~positive] - low) / hits
    values = above.mean(0)
    clusters = whose.max() + 1
    sums = [np.zeros((clusters, scores.shape[1])) for _ in range(2)]
    np.add.at(sums[0], whose[positive], above - values)
    np.add.at(sums[1], whose[~positive], below - values)
    there = [len(np.unique(whose[own])) for own in (positive, ~positive)]
    if min(there) < 2:
        return values, np.full((len(values),) * 2, np.nan)
    of_hits, of_misses = (
        count / (count - 1) * own.T @ own for count, own in zip(there, sums, strict=True)
    )
    every = len(np.unique(whose))
    across = every / (every - 1) * sums[0].T @ sums[1]
    covariance = of_hits / hits**2 + of_misses / misses**2 + (across + across.T) / (hits * misses)
    return values, covariance
