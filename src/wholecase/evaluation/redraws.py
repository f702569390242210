"""Percentiles of redraws of patients (Efron & Tibshirani 1993, chapter 13).

Patients are drawn with replacement, each with all of its cases, as many as there are (whole
clusters: Field & Welsh 2007). The draw is plain, not stratified by class: a stratified one would
pretend that the mix of classes is known. Where several models judged, patients are drawn anew among
those of the same one: how many each judges is settled by the division, not by chance.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float, Int

from wholecase.core.seeds import generator
from wholecase.evaluation.interval import (
    ALIKE,
    FEW,
    LOST,
    ONE,
    TOO_FEW,
    UNDEFINED,
    Interval,
    without_ends,
)

Weights = Float[np.ndarray, "R M"]
Values = Float[np.ndarray, " R"]
Statistic = Callable[[Weights], Values]

MOST_UNDEFINED = 0.05
"""Beyond this share of redraws without a value, an interval of the others would mislead."""
BLOCK = 2**21
"""Weights held at once, so that a large cohort needs no more memory than a small one."""


def intervals_of(
    statistics: Mapping[str, Statistic],
    patients: tuple[str, ...],
    *,
    within: Int[np.ndarray, " M"] | None = None,
    repeats: int,
    seed: int,
    alpha: float = 0.05,
) -> dict[str, Interval]:
    """All statistics from the same redraws; no ends where there are few patients.

    Args:
        statistics: by name, each of R weightings of the cases at once.
        patients: of each case.
        within: of each case in which group its patient is redrawn; None where there is but one.
        repeats: how many redraws.
        seed: of the redraws.
        alpha: 1 less the confidence.
    """
    n = len(set(patients))
    if n == 0:
        return {name: without_ends(None, 0, UNDEFINED) for name in statistics}
    blocks: dict[str, list[Values]] = {name: [np.empty(0)] for name in statistics}
    drawn = redraws(patients, repeats, seed, within) if statistics and n >= FEW else ()
    for weights in drawn:
        for name, statistic in statistics.items():
            blocks[name].append(statistic(weights))
    once = np.ones((1, len(patients)))
    return {
        name: _interval(float(statistic(once)[0]), np.concatenate(blocks[name]), n, alpha)
        for name, statistic in statistics.items()
    }


def redraws(
    patients: tuple[str, ...],
    repeats: int,
    seed: int,
    within: Int[np.ndarray, " M"] | None = None,
) -> Iterator[Float[np.ndarray, "R M"]]:
    """How often each case is there in each redraw, some redraws at a time.

    A patient whose cases lie in several groups is drawn among those of the first.
    """
    names, first, whose = np.unique(np.array(patients), return_index=True, return_inverse=True)
    n = len(names)
    groups = np.zeros(n, dtype=np.int64) if within is None else within[first]
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    rng = generator(seed, "bootstrap")
    rows = max(1, BLOCK // len(patients))
    for start in range(0, repeats, rows):
        count = min(rows, repeats - start)
        picked = [own[rng.integers(len(own), size=(count, len(own)))] for own in members]
        drawn = np.concatenate(picked, axis=1) + n * np.arange(count)[:, None]
        times = np.bincount(drawn.ravel(), minlength=count * n).reshape(count, n)
        yield times[:, whose].astype(np.float64)


def _interval(value: float, draws: Float[np.ndarray, " R"], n: int, alpha: float) -> Interval:
    if np.isnan(value):
        return without_ends(None, n, UNDEFINED)
    if n < FEW:
        return without_ends(value, n, ONE if n < 2 else TOO_FEW)
    defined = draws[np.isfinite(draws)]
    if not len(defined) or len(defined) < (1 - MOST_UNDEFINED) * len(draws):
        return without_ends(value, n, LOST)
    # redraws sum in another order: what differs in the last digits only does not differ
    if np.ptp(defined) < 1e-12:
        return without_ends(value, n, ALIKE)
    low, high = np.quantile(defined, [alpha / 2, 1 - alpha / 2])
    return Interval(value, float(low), float(high), n, "bootstrap")
