"""Intervals from formulas, for patients too few to be redrawn: exact, or wider than need be.

A patient with several cases counts once, as if they all agreed: what is not known to be independent
is not counted as such. All ends hold for the cases' population at confidence 1 - alpha.
"""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float

Ends = tuple[float, float]
LEAST_RANKED = 3
"""Patients of either side below which the variance of an area under the curve says nothing."""
_HAIR = 1e-9


def effective(patients: Sequence[str]) -> float:
    """How many patients so many cases stand for (Kish 1965): those with many cases weigh more.

    >>> effective(("a", "b", "c")), effective(("a", "a", "b", "b"))
    (3.0, 2.0)
    """
    _, each = np.unique(np.array(patients), return_counts=True)
    return float(each.sum() ** 2 / (each**2).sum())


def bounded_mean(mean: float, n: float, alpha: float, within: Ends = (0.0, 1.0)) -> Ends:
    """Where the mean of numbers that lie `within` may be, given that of n of them.

    Of all such numbers those that are only ever lowest or highest spread most, and of these it is
    the binomial bound (Clopper & Pearson 1934); for others it is wider than need be.

    >>> [round(end, 3) for end in bounded_mean(1.0, 10.0, 0.05)]
    [0.692, 1.0]
    """
    lowest, highest = within
    right = float(np.clip((mean - lowest) / (highest - lowest), 0, 1)) * n
    low = scipy.special.betaincinv(right, n - right + 1, alpha / 2) if right > _HAIR else 0.0
    high = (
        scipy.special.betaincinv(right + 1, n - right, 1 - alpha / 2) if right < n - _HAIR else 1.0
    )
    return (
        lowest + (highest - lowest) * float(low),
        lowest + (highest - lowest) * float(high),
    )


def mean_of_means(
    terms: Float[np.ndarray, "M S"], patients: Sequence[str], alpha: float, within: Ends
) -> Ends:
    """Of the mean over S columns of each column's mean; nan where a case is not of the column."""
    whose = np.array(patients, dtype=object)
    counted = np.isfinite(terms)
    means, ends = [], []
    for column, own in zip(terms.T, counted.T, strict=True):
        means.append(float(column[own].mean()))
        n = effective(tuple(whose[own]))
        ends.append(bounded_mean(means[-1], n, alpha, within))
    return averaged(means, ends, are_apart=bool((counted.sum(axis=1) <= 1).all()))


def averaged(values: Sequence[float], ends: Sequence[Ends], *, are_apart: bool) -> Ends:
    """Ends of a mean of values from those of each.

    Values of cases apart from each other err independently (Zou & Donner 2008); others may err
    together.
    """
    at, (lows, highs) = np.array(values), np.array(ends).T
    if not are_apart:
        return float(lows.mean()), float(highs.mean())
    below, above = (float(np.sqrt(((end - at) ** 2).sum())) for end in (lows, highs))
    middle = float(at.mean())
    return middle - below / len(at), middle + above / len(at)


def of_difference(a: float, ends_a: Ends, b: float, ends_b: Ends) -> Ends:
    """Of a - b, from the ends of both (Zou & Donner 2008).

    As if they erred independently: two judges of the same cases mostly err together, which would
    make it narrower.
    """
    (low_a, high_a), (low_b, high_b) = ends_a, ends_b
    below = float(np.hypot(a - low_a, high_b - b))
    above = float(np.hypot(high_a - a, b - low_b))
    return a - b - below, a - b + above


def of_ranks(area: float, sides: Sequence[tuple[float, float]], alpha: float) -> Ends:
    """Of the area under the ROC curve (Newcombe 2006, method 5).

    With a side of fewer than three patients as many pairs are taken as are independent, of which
    the area is an average (Hoeffding 1963).

    Args:
        area: the mean over all pairs of those whom the same judge ranked.
        sides: of each judge how many patients with the class, and without; both are there.
        alpha: 1 less the confidence.
    """
    if min(sum(side) for side in zip(*sides, strict=True)) < LEAST_RANKED:
        return bounded_mean(area, sum(min(both) for both in sides), alpha)
    return _lowest_area(area, sides, alpha), 1 - _lowest_area(1 - area, sides, alpha)


def area_variance(at: float, further: float, pairs: float) -> float:
    """Of an area of this size over so many pairs (Newcombe 2006).

    `further` is the mean number of patients of a side, less one.
    """
    return at * (1 - at) * (1 + further * ((1 - at) / (2 - at) + at / (1 + at))) / pairs


def _lowest_area(area: float, sides: Sequence[tuple[float, float]], alpha: float) -> float:
    """The smallest area from which this one is no further than its own deviation allows.

    Judges err independently, and each weighs as many pairs as it ranked.
    """
    from scipy.optimize import brentq

    if area < _HAIR:
        return 0.0
    z, (some, others) = float(scipy.special.ndtri(1 - alpha / 2)), np.array(sides).T
    pairs = some * others
    further = float((pairs * ((some + others) / 2 - 1)).sum() / pairs.sum())

    def gap(at: float) -> float:
        return float((area - at) ** 2 - z**2 * area_variance(at, further, float(pairs.sum())))

    return float(brentq(gap, 0.0, area - _HAIR / 10))


def of_any_mean(
    values: Float[np.ndarray, " M"], patients: Sequence[str], alpha: float
) -> Ends | None:
    """Of the mean of numbers without known bounds (Student 1908), by patient; None if all alike."""
    names, whose = np.unique(np.array(patients), return_inverse=True)
    mean, n = float(values.mean()), len(names)
    off = np.bincount(whose, values - mean, minlength=n)
    deviation = float(np.sqrt(n / (n - 1) * (off**2).sum())) / len(values)
    if deviation < _HAIR:
        return None
    reach = float(scipy.special.stdtrit(n - 1, 1 - alpha / 2)) * deviation
    return mean - reach, mean + reach
