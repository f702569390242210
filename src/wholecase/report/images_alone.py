"""Images judged alone beside the cases that they belong to, as a table."""

from wholecase.report.records import Measured
from wholecase.report.run_record import Run
from wholecase.report.terms import metric_name
from wholecase.report.wording import MISSING, interval, number

OF_EACH = ("auroc", "balanced_accuracy", "accuracy")
"""Metrics that cases and images have."""
HEADS = ("judged", "number", "patient-level recognition rate", *map(metric_name, OF_EACH))


def image_rows(run: Run) -> list[tuple[str, ...]]:
    """The cases by all of their images together, then images alone: all, and by magnification.

    Empty where no images are judged alone.
    """
    if not run.images:
        return []
    pooled = [told(run.pooled.get(name)) for name in OF_EACH]
    rows = [("cases, by all images together", str(len(run.predictions)), MISSING, *pooled)]
    for name, one in run.images.items():
        measured = {**one.metrics, "accuracy": one.image_accuracy}
        judged = "images alone" if name == "all" else f"images alone, {name}"
        cells = [told(measured.get(metric)) for metric in OF_EACH]
        rows.append((judged, str(one.images), told(one.recognition_rate), *cells))
    return rows


def told(one: Measured | None) -> str:
    """A value with its interval.

    >>> told(Measured(0.8, 0.7, 0.9)), told(Measured(0.8)), told(None)
    ('0.80 (0.70–0.90)', '0.80', '–')
    """
    if one is None:
        return MISSING
    return f"{number(one.value)} ({interval(one)})" if interval(one) else number(one.value)
