"""Percentiles of redraws of patients (Efron & Tibshirani 1993, chapter 13).

Patients are drawn with replacement, each with all of its cases, as many as there are (whole
clusters: Field & Welsh 2007). The draw is plain, not stratified by class: a stratified one would
pretend that the mix of classes is known.
"""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from jaxtyping import Float

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
    repeats: int,
    seed: int,
    alpha: float = 0.05,
) -> dict[str, Interval]:
    """All statistics from the same redraws; no ends where there are few patients."""
    n = len(set(patients))
    if n == 0:
        return {name: without_ends(None, 0, UNDEFINED) for name in statistics}
    blocks: dict[str, list[Values]] = {name: [np.empty(0)] for name in statistics}
    for weights in redraws(patients, repeats, seed) if statistics and n >= FEW else ():
        for name, statistic in statistics.items():
            blocks[name].append(statistic(weights))
    once = np.ones((1, len(patients)))
    return {
        name: _interval(float(statistic(once)[0]), np.concatenate(blocks[name]), n, alpha)
        for name, statistic in statistics.items()
    }


def redraws(
    patients: tuple[str, ...], repeats: int, seed: int
) -> Iterator[Float[np.ndarray, "R M"]]:
    """How often each case is there in each redraw, some redraws at a time."""
    names, whose = np.unique(np.array(patients), return_inverse=True)
    n = len(names)
    rng = generator(seed, "bootstrap")
    rows = max(1, BLOCK // len(patients))
    for start in range(0, repeats, rows):
        count = min(rows, repeats - start)
        drawn = rng.integers(n, size=(count, n)) + n * np.arange(count)[:, None]
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
