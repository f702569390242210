"""The figures of a run as files of their own, for a paper or a slide."""

from collections.abc import Iterator
from pathlib import Path

from wholecase.core.files import write_text
from wholecase.report.run_record import Run
from wholecase.report.terms import metric_name
from wholecase.report.wording import interval, number
from wholecase.runs import RunFolder

LEARNING = (("train", "training loss"), ("", "validation loss"), ("kept", "epoch that was kept"))
DECISIONS = (("kept", "where the decisions stand"),)
FILES: dict[str, tuple[str, str]] = {
    "Confusion matrix": ("confusion_matrix", ""),
    "ROC curve": ("roc", "auroc"),
    "Precision and sensitivity": ("precision_recall", "auprc"),
    "Are the probabilities honest?": ("reliability", ""),
}
"""By the name of the figure on the page: its file, and the metric that its title tells."""


def write_figures(run: Run) -> list[Path]:
    """Write `figures/*.svg` of a run, as far as it has what they show; returns their paths.

    Each is drawn from what the page is drawn from, opens without the page, and has the same bytes
    for the same run.
    """
    paths = []
    for name, text in _drawn(run):
        path = RunFolder(run.root).figure(f"{name}.svg")
        write_text(path, text)
        paths.append(path)
    return paths


def _drawn(run: Run) -> Iterator[tuple[str, str]]:
    # numpy and the figures take longer to import than the rest of the package together
    from wholecase.report import figures

    if curves := figures.learning_curves(run):
        panels = [(f"Fold {number}" if len(curves) > 1 else "", svg) for number, svg in curves]
        yield (
            "training_curves",
            figures.Sheet(f"Learning curves{_marked(run)}", panels, LEARNING).markup(),
        )
    cases = figures.judged(run)
    drawn = (*figures.quality_figures(run, cases, {}), figures.reliability_figure(run, cases))
    for figure in drawn:
        if figure is not None and figure.name in FILES:
            name, metric = FILES[figure.name]
            title = f"{figure.name}{_value(run, metric)}{_marked(run)}"
            keys = DECISIONS if metric and run.is_binary else figure.keys
            yield name, figures.Sheet(title, [("", figure.svg)], keys).markup()


def _marked(run: Run) -> str:
    return f" · {run.mark}" if run.mark else ""


def _value(run: Run, metric: str) -> str:
    measured = run.pooled.get(metric)
    if measured is None or measured.value is None:
        return ""
    ends = f", 95 % interval {interval(measured)}" if interval(measured) else ""
    return f": {metric_name(metric)} {number(measured.value)}{ends}"
