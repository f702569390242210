"""How far a number can be trusted: by formula for few patients, by redraws of many.

From `FEW` patients on (of the class that is rarest, where a metric rests on classes) the
percentiles of redraws of patients are told. Redraws of fewer claim a certainty that a handful
cannot give, as do redraws that all agree, and those of which one in twenty has lost a class: there
the interval follows from a formula that covers (`bounds`), or there is none and the reason is told.
"""

from collections.abc import Collection, Sequence
from functools import partial

import numpy as np
from jaxtyping import Float

from wholecase.core.errors import RunError
from wholecase.core.lookup import look_up
from wholecase.evaluation.bounds import (
    Ends,
    bounded_mean,
    effective,
    of_any_mean,
    of_difference,
)
from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.interval import (
    FEW,
    NOT_REDRAWN,
    ONE,
    TOO_FEW,
    UNDEFINED,
    Interval,
    without_ends,
)
from wholecase.evaluation.metric import Metric, Values, Weights
from wholecase.evaluation.metrics import METRICS
from wholecase.evaluation.redraws import intervals_of
from wholecase.evaluation.scores import Scores

REPEATS = 2000


def measure(
    scores: Scores,
    *,
    only: Collection[str] | None = None,
    repeats: int = REPEATS,
    seed: int,
    alpha: float = 0.05,
) -> dict[str, Interval]:
    """Every metric, or `only` some, with its interval at confidence 1 - alpha, by patient.

    Metrics of two classes only are left out where there are more.
    """
    asked = {name: METRICS[name] for name in (METRICS if only is None else only)}
    fitting = {name: m for name, m in asked.items() if m.suits(scores)}
    redrawn = {
        name: partial(_measured, m, scores) for name, m in fitting.items() if _many(m, scores)
    }
    found = intervals_of(
        redrawn, scores.patients, within=scores.judges, repeats=repeats, seed=seed, alpha=alpha
    )
    return {
        name: _or_formula(found.get(name) or _untold(metric, scores), metric, scores, alpha)
        for name, metric in fitting.items()
    }


def _many(metric: Metric, scores: Scores) -> bool:
    """Whether redraws of so many patients can be trusted."""
    return metric.is_redrawn and metric.resting(scores) >= FEW


def _untold(metric: Metric, scores: Scores) -> Interval:
    """The value alone, with the reason why it was not redrawn."""
    value = metric.once(scores)
    n = len(set(scores.patients))
    if np.isnan(value):
        return without_ends(None, n, UNDEFINED)
    return without_ends(value, n, TOO_FEW if metric.is_redrawn else NOT_REDRAWN)


def _or_formula(interval: Interval, metric: Metric, scores: Scores, alpha: float) -> Interval:
    """The ends by formula where redraws give none."""
    if interval.low is not None or interval.value is None:
        return interval
    if interval.n < 2:
        return without_ends(interval.value, interval.n, ONE)
    return _with_ends(interval, metric.ends_of_few(scores, alpha))


def _with_ends(interval: Interval, ends: Ends | None) -> Interval:
    if ends is None:
        return interval
    return Interval(interval.value, *ends, interval.n, "formula")


def mean_interval(
    values: Float[np.ndarray, " M"],
    patients: tuple[str, ...],
    *,
    within: Ends | None = None,
    repeats: int = REPEATS,
    seed: int,
) -> Interval:
    """The mean over cases of one number per case, by patient; cases that have none (nan) are out.

    `n` counts the patients that are left. Of few of them the interval is exact where the numbers
    are known to lie `within` bounds, and else Student's.
    """
    has = np.isfinite(values)
    kept, whose = values[has].astype(np.float64), tuple(np.array(patients, dtype=object)[has])
    n = len(set(whose))
    if n < 2:
        mean = float(kept.mean()) if n else None
        return without_ends(mean, n, ONE if n else UNDEFINED)
    interval = without_ends(float(kept.mean()), n, TOO_FEW)
    if n >= FEW:
        statistic = {"mean": partial(_weighted_mean, kept)}
        interval = intervals_of(statistic, whose, repeats=repeats, seed=seed)["mean"]
    return (
        interval
        if interval.low is not None
        else _with_ends(interval, _ends_of_mean(kept, whose, within))
    )


def _weighted_mean(values: Float[np.ndarray, " M"], weights: Weights) -> Values:
    return fraction(weights @ values, weights.sum(axis=1))


def _ends_of_mean(
    values: Float[np.ndarray, " M"], patients: tuple[str, ...], within: Ends | None
) -> Ends | None:
    if within is None:
        return of_any_mean(values, patients, 0.05)
    return bounded_mean(float(values.mean()), effective(patients), 0.05, within)


def paired_difference(
    a: Scores, b: Scores, metric: str, *, repeats: int = REPEATS, seed: int
) -> Interval:
    """The metric of `a` minus that of `b` on the same cases, both seeing the same redraws.

    Of few patients it follows from the intervals of both.

    Raises:
        RunError: the two do not judge the same cases in the same order.
        RecipeError: no metric has that name.
    """
    same = a.patients == b.patients and np.array_equal(a.truth, b.truth)
    if not same or a.classes != b.classes:
        raise RunError("a paired difference needs the same cases on both sides, in the same order")
    if a.has_several_judges != b.has_several_judges or not _alike(a, b):
        raise RunError("a paired difference needs the same division into judges on both sides")
    chosen = look_up(METRICS, metric, "metric")
    n = len(set(a.patients))
    if not chosen.suits(a):
        return without_ends(None, n, UNDEFINED)
    if _many(chosen, a):
        statistics = {metric: partial(_gap, chosen, a, b)}
        return intervals_of(statistics, a.patients, within=a.judges, repeats=repeats, seed=seed)[
            metric
        ]
    return _gap_of_few(chosen, a, b, n)


def mean_drop(
    a: Scores, others: Sequence[Scores], metric: str, *, repeats: int = REPEATS, seed: int
) -> Interval:
    """The metric of `a` minus its mean over `others`: trials of one kind on the same cases.

    All see the same redraws. Of few patients it follows from the interval of `a`, and from the mean
    ones of the trials, which are wider than that of their mean.

    Raises:
        RecipeError: no metric has that name.
    """
    chosen = look_up(METRICS, metric, "metric")
    n = len(set(a.patients))
    if chosen.suits(a) and _many(chosen, a):

        def drop(weights: Weights) -> Values:
            told = [_measured(chosen, b, weights) for b in others]
            fallen: Values = _measured(chosen, a, weights) - np.mean(told, 0)
            return fallen

        return intervals_of(
            {metric: drop}, a.patients, within=a.judges, repeats=repeats, seed=seed
        )[metric]
    gaps = [paired_difference(a, b, metric, repeats=repeats, seed=seed) for b in others]
    values = [gap.value for gap in gaps if gap.value is not None]
    if len(values) < len(gaps):
        return without_ends(None, n, UNDEFINED)
    interval = _untold_gap(chosen, float(np.mean(values)), n)
    ends = [(gap.low, gap.high) for gap in gaps if gap.low is not None and gap.high is not None]
    if len(ends) < len(gaps):
        return interval
    low, high = np.mean(ends, 0).tolist()
    return _with_ends(interval, (low, high))


def _alike(a: Scores, b: Scores) -> bool:
    """Whether the same cases have one judge on both sides."""
    if a.judges is None or b.judges is None:
        return True
    return len(np.unique(np.stack([a.judges, b.judges]), axis=1).T) == len(np.unique(a.judges))


def _gap(metric: Metric, a: Scores, b: Scores, weights: Weights) -> Values:
    gap: Values = _measured(metric, a, weights) - _measured(metric, b, weights)
    return gap


def _gap_of_few(metric: Metric, a: Scores, b: Scores, n: int) -> Interval:
    values = [metric.once(s) for s in (a, b)]
    if np.isnan(values).any():
        return without_ends(None, n, UNDEFINED)
    interval = _untold_gap(metric, values[0] - values[1], n)
    ends = [metric.ends_of_few(s, 0.05) if n > 1 else None for s in (a, b)]
    if ends[0] is None or ends[1] is None:
        return interval
    return _with_ends(interval, of_difference(values[0], ends[0], values[1], ends[1]))


def _untold_gap(metric: Metric, value: float, n: int) -> Interval:
    reason = ONE if n < 2 else TOO_FEW if metric.is_redrawn else NOT_REDRAWN
    return without_ends(value, n, reason)


def _measured(metric: Metric, scores: Scores, weights: Weights) -> Values:
    return metric.of(scores, weights)
