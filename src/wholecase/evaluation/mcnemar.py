"""Decisions of two judges on the same cases: is one right more often than chance would have it?"""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Bool

from wholecase.evaluation.bounds import Ends, effective
from wholecase.evaluation.interval import ONE, Gap, Interval, without_ends

EXACT_BELOW = 25
"""With fewer patients on whom the two differ the binomial is summed; with more, chi squared."""


def mcnemar(
    first: Bool[np.ndarray, " M"], second: Bool[np.ndarray, " M"], patients: Sequence[str]
) -> Gap:
    """The accuracy of the first less that of the second, tested by patient (McNemar 1947).

    A patient counts once, for the judge that is right in more of their cases; who is equal counts
    for neither. The interval is Tango's (1998), as if a patient's cases all agreed.
    """
    names, whose = np.unique(np.array(patients, dtype=object).astype(str), return_inverse=True)
    gap = np.bincount(whose, first.astype(float) - second.astype(float), minlength=len(names))
    won, lost = int((gap > 0).sum()), int((gap < 0).sum())
    p, which = p_of(won, lost)
    how = f"McNemar's test, {which} on {won + lost} patients: {won} for the first, {lost} against"
    value, n = float(first.mean() - second.mean()), len(names)
    if n < 2:
        return Gap(without_ends(value, n, ONE), p, how, false_claim(won, lost))
    share = effective(patients) / len(first)
    only = (first & ~second).sum() * share, (second & ~first).sum() * share
    ends = tango(float(only[0]), float(only[1]), effective(patients))
    return Gap(Interval(value, *ends, n, "formula"), p, how, false_claim(won, lost))


def false_claim(won: int, lost: int) -> float:
    """How likely a claim that the one with more won is better is false.

    The posterior of the paired table with one case added to each cell (Dirichlet; as for claims of
    outperformance by Christodoulou 2025): who wins a discordant patient has a Beta distribution.

    >>> round(false_claim(7, 1), 3), false_claim(4, 4)
    (0.02, 0.5)
    """
    more, less = max(won, lost), min(won, lost)
    return float(scipy.special.betainc(more + 1, less + 1, 0.5))


def p_of(won: int, lost: int) -> tuple[float, str]:
    """How likely chance alone divides them so or more unevenly, and by which test.

    >>> p_of(1, 7)
    (0.0703125, 'exact binomial')
    """
    from scipy.stats import binomtest, chi2

    if won + lost < EXACT_BELOW:
        p = binomtest(won, won + lost).pvalue if won + lost else 1.0
        return float(p), "exact binomial"
    return float(chi2.sf((won - lost) ** 2 / (won + lost), 1)), "chi squared"


def tango(won: int | float, lost: int | float, n: int | float, alpha: float = 0.05) -> Ends:
    """Where (won - lost) / n may lie: all differences that the score test does not refuse.

    >>> [round(end, 3) for end in tango(1, 7, 21)]
    [-0.517, -0.026]
    """
    from scipy.optimize import brentq

    z, at = float(scipy.special.ndtri(1 - alpha / 2)), (won - lost) / n

    def excess(delta: float) -> float:
        """How far the counts lie from what this difference would give, in deviations."""
        # the share of the lost under it that makes the counts most likely
        b = -won - lost + (2 * n - won + lost) * delta
        inside = max(b * b + 8 * n * lost * delta * (1 - delta), 0.0)
        share = (inside**0.5 - b) / (4 * n)
        variance = n * (2 * share + delta * (1 - delta))
        off = won - lost - n * delta
        if abs(off) < 1e-12:
            return 0.0
        return off / variance**0.5 if variance > 1e-12 else float(np.copysign(np.inf, off))

    def end(sign: int) -> float:
        edge = float(np.nextafter(-sign, 0))
        # at its edge a difference leaves no doubt, unless the counts lie there themselves
        if at == -sign or abs(excess(edge)) <= z:
            return float(-sign)
        return float(brentq(lambda delta: excess(delta) - sign * z, edge, at))

    return end(1), end(-1)
