"""The figures of a run as a table in Markdown, to be put into a text: `results.md`."""

from collections.abc import Iterator, Sequence

from wholecase.report.images_alone import HEADS, image_rows, told
from wholecase.report.plain_models import (
    baseline_rows,
    chance_cells,
    chance_heads,
    metrics_shown,
)
from wholecase.report.records import Scale
from wholecase.report.run_record import Run
from wholecase.report.terms import METRIC_NAMES, metric_name
from wholecase.report.verdict import reading, title, verdict
from wholecase.report.wording import interval, number, reach


def results_text(run: Run) -> str:
    """Metrics with intervals and the spread over folds, plain models, images, magnifications."""
    mark = f"**{run.mark}**" if run.mark else ""
    parts = [f"# {title(run)}", verdict(run), " ".join(reading(run))]
    for part in _tables(run):
        parts += [mark, part] if part.startswith("|") else [part]
    return "\n\n".join(part for part in parts if part) + "\n"


def _tables(run: Run) -> Iterator[str]:
    names = [name for name in METRIC_NAMES if name in run.pooled]
    names += [name for name in run.pooled if name not in METRIC_NAMES]
    heads: tuple[str, ...] = (
        "metric",
        "value",
        "95 % interval",
        "which held the truth in drawn cohorts",
        "mean ± deviation over folds",
        "patients",
    )
    yield _table(heads, [_metric(run, name) for name in names])
    if run.baselines:
        yield "## Plain models on the same folds"
        named = [(m, f"the run from it, {m}") for m in metrics_shown(run)]
        heads = ("model", *(head for pair in named for head in pair), *chance_heads(run))
        rows = [
            (
                name,
                *(cell for p in pairs for cell in (p.value, f"{p.difference} ({p.interval})")),
                *chance,
            )
            for (name, pairs), chance in zip(baseline_rows(run), chance_cells(run), strict=True)
        ]
        yield _table(heads, rows)
    if run.images:
        yield "## Images judged alone"
        yield _table(HEADS, image_rows(run))
    if run.scales:
        yield "## Magnifications"
        yield _table(
            ("scale", *scale_heads(run)),
            [(name, *scale_cells(one)) for name, one in run.scales.items()],
        )


def scale_heads(run: Run) -> tuple[str, ...]:
    """What `scale_cells` tells; repeats only where there are some."""
    repeats = max((len(one.repeats) for one in run.scales.values()), default=0)
    return (
        "learnt importance, mean (range over folds)",
        *([f"mean of {repeats} repeats (range)"] if repeats else []),
        "AUROC lost without its own",
    )


def scale_cells(one: Scale) -> tuple[str, ...]:
    """Learnt importance with its range, that of repeats, and what is lost, for people.

    >>> from wholecase.report.records import Measured
    >>> scale_cells(Scale((0.2, 0.4), Measured(0.1, -0.05, 0.25)))
    ('0.30 (0.20–0.40)', '0.10 (−0.05 to 0.25)')
    >>> scale_cells(Scale((0.2, 0.4), Measured(0.1), (0.3, 0.1)))
    ('0.30 (0.20–0.40)', '0.20 (0.10–0.30)', '0.10')
    """
    repeats = [_ranged(one.repeats)] if one.repeats else []
    return _ranged(one.shares), *repeats, told(one.lost)


def _ranged(values: Sequence[float]) -> str:
    """The mean and the range."""
    if not values:
        return number(None)
    return f"{number(sum(values) / len(values))} ({reach(values)})"


def _metric(run: Run, name: str) -> tuple[str, ...]:
    one, over = run.pooled[name], run.spread.get(name)
    folds = "" if over is None else f"{number(over[0])} ± {number(over[1])}"
    ends = interval(one) or (f"none: {one.reason}" if one.reason else "")
    sure = "" if one.held is None else f"{100 * one.held[0]:.1f} %"
    n = "" if one.n is None else str(one.n)
    return metric_name(name), number(one.value), ends, sure, folds, n


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
