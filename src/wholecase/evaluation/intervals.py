"""How far a number can be trusted: percentile bootstrap over patients.

Patients are drawn with replacement, each with all of its cases, as many as there are (Efron &
Tibshirani 1993, chapter 13; whole clusters: Field & Welsh 2007). The draw is plain, not stratified
by class: a stratified one would pretend that the mix of classes is known, and with one or two
patients of a class it would call certain what is not. The price: a small fold may redraw a class
away. Such redraws are left out; where they are more than one in twenty, or where there is one
patient only, there is no interval. Nor is there one where all redraws agree: the method would then
claim certainty that a handful of patients cannot give. A metric that is perfect (or worst) in this
way gets the exact binomial bound instead, of m right among m patients (Clopper & Pearson 1934), m
being the patients that the metric rests on, or those of the rarest class.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float

from wholecase.core.errors import RunError
from wholecase.core.lookup import look_up
from wholecase.core.seeds import generator
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.metrics import METRICS, Metric, Values, Weights
from wholecase.evaluation.scores import Scores

REPEATS = 2000
MOST_UNDEFINED = 0.05
"""Beyond this share of redraws without a value, an interval of the others would mislead."""
BLOCK = 2**21
"""Weights held at once, so that a large cohort needs no more memory than a small one."""

Statistic = Callable[[Weights], Values]


@dataclass(frozen=True)
class Interval:
    """A value of n patients and where it may lie; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def to_json(self) -> dict[str, float | int | None]:
        """As `metrics.json` holds it.

        >>> Interval(0.5, None, None, 1).to_json()
        {'value': 0.5, 'low': None, 'high': None, 'n': 1}
        """
        return asdict(self)


def measure(
    scores: Scores, *, repeats: int = REPEATS, seed: int, alpha: float = 0.05
) -> dict[str, Interval]:
    """Every metric with its interval at confidence 1 - alpha, by patient."""
    statistics = {name: partial(_measured, metric, scores) for name, metric in METRICS.items()}
    told = intervals_of(statistics, scores.patients, repeats=repeats, seed=seed, alpha=alpha)
    return {name: _bounded(name, interval, scores, alpha) for name, interval in told.items()}


def _bounded(name: str, interval: Interval, scores: Scores, alpha: float) -> Interval:
    """The exact bound where the bootstrap has none because the value is perfect or worst."""
    if interval.low is not None or interval.value not in {0.0, 1.0} or name == "brier":
        return interval
    return exactly_bounded(interval, _resting(name, scores), alpha)


def exactly_bounded(interval: Interval, patients: int, alpha: float = 0.05) -> Interval:
    """The binomial bound of all or none right among so many patients (Clopper & Pearson 1934)."""
    bound = (alpha / 2) ** (1 / patients)
    if interval.value == 1.0:
        return replace(interval, low=bound, high=1.0)
    return replace(interval, low=0.0, high=1 - bound)


def _resting(name: str, scores: Scores) -> int:
    """How many patients a metric rests on."""
    patients = np.array(scores.patients, dtype=object)
    counts = [len(set(patients[scores.truth == c])) for c in np.unique(scores.truth)]
    if name == "accuracy":
        return len(set(scores.patients))
    if scores.classes == 2 and len(counts) == 2 and name in {"sensitivity", "specificity"}:
        return counts[1] if name == "sensitivity" else counts[0]
    return min(counts)


def mean_interval(
    values: Float[np.ndarray, " M"], patients: tuple[str, ...], *, repeats: int = REPEATS, seed: int
) -> Interval:
    """The mean over cases of one number per case, by patient; cases that have none (nan) are out.

    `n` counts the patients that are left.
    """
    has = np.isfinite(values)
    kept, whose = values[has].astype(np.float64), tuple(np.array(patients, dtype=object)[has])

    def mean(weights: Weights) -> Values:
        return fraction(weights @ kept, weights.sum(axis=1))

    return intervals_of({"mean": mean}, whose, repeats=repeats, seed=seed)["mean"]


def paired_difference(
    a: Scores, b: Scores, metric: str, *, repeats: int = REPEATS, seed: int
) -> Interval:
    """The metric of `a` minus that of `b` on the same cases, both seeing the same redraws.

    Raises:
        RunError: the two do not judge the same cases in the same order.
        RecipeError: no metric has that name.
    """
    same = a.patients == b.patients and np.array_equal(a.truth, b.truth)
    if not same or a.classes != b.classes:
        raise RunError("a paired difference needs the same cases on both sides, in the same order")
    chosen = look_up(METRICS, metric, "metric")

    def difference(weights: Weights) -> Values:
        gap: Values = _measured(chosen, a, weights) - _measured(chosen, b, weights)
        return gap

    statistics = {metric: difference}
    return intervals_of(statistics, a.patients, repeats=repeats, seed=seed)[metric]


def _measured(metric: Metric, scores: Scores, weights: Weights) -> Values:
    return metric.weighted(scores.truth, scores.probabilities, scores.decision, weights)


def intervals_of(
    statistics: Mapping[str, Statistic],
    patients: tuple[str, ...],
    *,
    repeats: int,
    seed: int,
    alpha: float = 0.05,
) -> dict[str, Interval]:
    """All statistics from the same redraws."""
    n = len(set(patients))
    if n == 0:
        return {name: Interval(None, None, None, 0) for name in statistics}
    blocks: dict[str, list[Values]] = {name: [np.empty(0)] for name in statistics}
    for weights in redraws(patients, repeats, seed):
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
        return Interval(None, None, None, n)
    defined = draws[np.isfinite(draws)]
    if n < 2 or not len(defined) or len(defined) < (1 - MOST_UNDEFINED) * len(draws):
        return Interval(value, None, None, n)
    # redraws sum in another order: what differs in the last digits only does not differ
    if np.ptp(defined) < 1e-12:
        return Interval(value, None, None, n)
    low, high = np.quantile(defined, [alpha / 2, 1 - alpha / 2])
    return Interval(value, float(low), float(high), n)
