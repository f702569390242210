"""The run against plain models on the same folds, as a table."""

from collections.abc import Mapping
from dataclasses import dataclass

from wholecase.report.compare_lines import p_told
from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.table_cells import finite
from wholecase.report.terms import metric_name
from wholecase.report.wording import interval, number

NAMES = {
    "direct": "Direct classification",
    "logistic": "Logistic regression",
    "logistic_max": "Logistic regression, maximum of each feature",
    "logistic_side_by_side": "Logistic regression, scales together",
    "neighbours": "Nearest neighbours",
    "centroid": "Nearest centroid",
}
SHOWN = ("auroc", "balanced_accuracy", "brier")
"""Order, decision and honesty; the others stand in `metrics.json`."""


@dataclass(frozen=True)
class Pair:
    """A metric of a plain model, and how far the run's is from it."""

    value: str
    difference: str
    interval: str
    is_better: bool
    """Whether the run is better beyond chance."""


def metrics_shown(run: Run) -> list[str]:
    """Names of the metrics in the order of the columns, for people."""
    return [metric_name(name) for name in _shown(run)]


def baseline_rows(run: Run) -> list[tuple[str, list[Pair]]]:
    """Of each plain model its name and a pair for each metric; empty without plain models."""
    return [
        (_named(name), [_pair(m, one.metrics, one.difference) for m in _shown(run)])
        for name, one in sorted(run.baselines.items(), key=lambda entry: _place(entry[0]))
    ]


CHANCE = {"auroc": "p, ranks", "accuracy": "p, decisions"}
"""Heads of the tests: DeLong's, and McNemar's of who is decided rightly."""


def chance_heads(run: Run) -> list[str]:
    """Of the tests that the run made."""
    return [CHANCE[name] for name in _tested(run)]


def chance_cells(run: Run) -> list[list[str]]:
    """Of each plain model, in the order of `baseline_rows`, how likely chance alone differs so."""
    ordered = sorted(run.baselines.items(), key=lambda entry: _place(entry[0]))
    return [[p_told(one.chance.get(name)) for name in _tested(run)] for _, one in ordered]


def _tested(run: Run) -> list[str]:
    return [name for name in CHANCE if any(name in one.chance for one in run.baselines.values())]


def _place(name: str) -> tuple[str, float]:
    """Magnifications of one kind rise.

    >>> sorted(["logistic_at_100", "logistic_max", "logistic_at_40", "logistic"], key=_place)
    ['logistic', 'logistic_at_40', 'logistic_at_100', 'logistic_max']
    """
    kind, at, scale = name.rpartition("_at_")
    number = finite(scale) if at else None
    return (name, 0.0) if number is None else (f"{kind}{at}", number)


def _named(name: str) -> str:
    """A plain model for people.

    >>> _named("centroid"), _named("logistic_at_40"), _named("logistic_side_by_side")
    ('Nearest centroid', 'Logistic regression at 40 alone', 'Logistic regression, scales together')
    >>> _named("trained_at_40"), _named("trained_late_fusion")
    ('Network trained at 40 alone', 'Network trained: late fusion')
    """
    if (scale := name.removeprefix("trained_at_")) != name:
        return f"Network trained at {scale} alone"
    if (own := name.removeprefix("trained_")) != name:
        return f"Network trained: {own.replace('_', ' ')}"
    if (scale := name.removeprefix("logistic_at_")) != name:
        return f"Logistic regression at {scale} alone"
    return NAMES.get(name, name)


def _shown(run: Run) -> list[str]:
    return [m for m in SHOWN if any(m in one.metrics for one in run.baselines.values())]


def _pair(metric: str, values: Mapping[str, Measured], gaps: Mapping[str, Measured]) -> Pair:
    from wholecase.evaluation import METRICS

    gap = gaps.get(metric, Measured(None))
    towards = -1 if METRICS[metric].higher_is_better is False else 1
    ends = [towards * end for end in (gap.low, gap.high) if end is not None]
    shown = number(gap.value)
    return Pair(
        value=number(values.get(metric, Measured(None)).value),
        difference=f"+{shown}" if (gap.value or 0) > 0 else shown,
        interval=interval(gap) or "no interval",
        is_better=bool(ends) and min(ends) > 0,
    )
