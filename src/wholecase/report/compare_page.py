"""Runs against each other as one self-contained page, in the look of the report."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wholecase.core.files import write_text
from wholecase.report.compare import Comparison, Judged, Pair
from wholecase.report.compare_lines import p_told
from wholecase.report.disputed import disputed_cases
from wholecase.report.page import environment
from wholecase.report.records import Measured
from wholecase.report.settings_apart import differing, settings_of
from wholecase.report.table_cells import measured, read_object
from wholecase.report.terms import COMPARED, METRIC_NAMES, TERMS, metric_name
from wholecase.report.wording import count, interval, listed, number

if TYPE_CHECKING:
    from wholecase.evaluation import Gap, Interval


@dataclass(frozen=True)
class MetricRow:
    """A metric of two runs and how far they are apart."""

    name: str
    first: str
    second: str
    difference: str
    ends: str
    is_apart: bool
    """Whether the interval leaves out zero."""


@dataclass(frozen=True)
class GapRow:
    """A difference and how likely chance alone makes it."""

    name: str
    difference: str
    ends: str
    p: str
    how: str


def compare_page(comparison: Comparison, path: Path) -> Path:
    """Write the page and return its path; it needs no network and no JavaScript."""
    write_text(path, page_of(comparison))
    return path


def page_of(comparison: Comparison) -> str:
    """The page as text."""
    names = tuple(run.name for run in comparison.runs)
    template = environment().get_template("compare.html.j2")
    words = {name: TERMS[name] for name in ("95 % interval", "AUROC", "Accuracy", "Fold")}
    text = template.render(
        comparison=comparison,
        names=names,
        title=listed(names),
        verdict=verdict_of(comparison),
        marks=comparison.marks,
        patients=count(len(set(comparison.runs[0].scores.patients)), "patient"),
        cards=[
            (name, _shown(value))
            for name, value in (
                ("Agreement", comparison.overlap.agreement),
                ("Disagreement", comparison.overlap.disagreement),
                ("Oracle accuracy", comparison.overlap.oracle),
            )
        ],
        pairs=[(pair, metric_rows(pair), gap_rows(pair)) for pair in comparison.pairs],
        recipes=recipe_rows(comparison),
        is_known=[run.folder.recipe.is_file() for run in comparison.runs],
        cases=disputed_cases(comparison),
        disputed=len(comparison.disputed),
        terms=words | COMPARED,
    )
    return text + "\n"


def verdict_of(comparison: Comparison) -> str:
    """The outcome in one plain sentence."""
    total, differ = len(comparison.runs[0].rows), len(comparison.disputed)
    told = f"{count(differ, 'case')} of {total:,} {'is' if differ == 1 else 'are'}"
    if len(comparison.pairs) > 1:
        return f"{told} not decided alike by all {len(comparison.runs)} runs."
    pair = comparison.pairs[0]
    gap = pair.accuracy.difference
    more = gap.value or 0.0
    better, other = (pair.first, pair.second) if more >= 0 else (pair.second, pair.first)
    if not more:
        return f"{told} decided differently, and both runs are right equally often."
    sure = gap.low is not None and gap.high is not None and (gap.low > 0 or gap.high < 0)
    luck = "more than chance alone would give" if sure else "no more than chance alone may give"
    return (
        f"{told} decided differently; {better.name} is right in {100 * abs(more):.1f} of 100 cases "
        f"more than {other.name}, which is {luck}."
    )


def metric_rows(pair: Pair) -> list[MetricRow]:
    """Metrics in the order of the report, with the values of both runs."""
    values = [_pooled(run) for run in (pair.first, pair.second)]
    names = [name for name in METRIC_NAMES if name in pair.differences]
    names += [name for name in pair.differences if name not in METRIC_NAMES]
    rows = []
    for name in names:
        gap = _measured(pair.differences[name])
        if gap.value is None:
            continue
        first, second = (number(of.get(name, Measured(None)).value) for of in values)
        ends = [end for end in (gap.low, gap.high) if end is not None]
        is_apart = bool(ends) and (min(ends) > 0 or max(ends) < 0)
        shown = interval(gap) or "none"
        rows.append(
            MetricRow(metric_name(name), first, second, _signed(gap.value), shown, is_apart)
        )
    return rows


def recipe_rows(comparison: Comparison) -> list[tuple[str, tuple[str, ...]]]:
    """Each setting in which the recipes differ, and what each of them says; empty where nothing."""
    settings = [settings_of(run.folder.recipe) for run in comparison.runs]
    if not all(settings):
        return []
    return [(name, tuple(own.get(name, "") for own in settings)) for name in differing(settings)]


def gap_rows(pair: Pair) -> list[GapRow]:
    """Of accuracy and, with two classes, of the area under the ROC curve."""
    over = {f"{metric_name(pair.over)}, mean over folds": pair.folds}
    tests = {"Accuracy": pair.accuracy, "AUROC": pair.area, **over}
    return [_test(name, tested) for name, tested in tests.items() if tested is not None]


def _test(name: str, tested: "Gap") -> GapRow:
    gap = _measured(tested.difference)
    ends = interval(gap) or f"none: {gap.reason}"
    return GapRow(name, _signed(gap.value), ends, p_told(tested.p), tested.how)


def _shown(value: "Interval") -> tuple[str, str]:
    return number(value.value, 3), interval(_measured(value))


def _pooled(run: Judged) -> dict[str, Measured]:
    table: dict[str, Any] = read_object(run.folder.metrics).get("pooled") or {}
    return {name: measured(value) for name, value in table.items()}


def _measured(value: "Interval") -> Measured:
    return Measured(value.value, value.low, value.high, value.n, value.reason or "")


def _signed(value: float | None) -> str:
    shown = number(value, 3)
    return f"+{shown}" if (value or 0) > 0 else shown
