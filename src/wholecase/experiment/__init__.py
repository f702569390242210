"""Cohort and recipe -> run, fold by fold."""

from wholecase.experiment.external import (
    draw_answer,
    external_metrics,
    stored_answer,
    write_answers,
)
from wholecase.experiment.facts import versions
from wholecase.experiment.imported import import_clam
from wholecase.experiment.run import Settings, Summary, run

__all__ = [
    "Settings",
    "Summary",
    "draw_answer",
    "external_metrics",
    "import_clam",
    "run",
    "stored_answer",
    "versions",
    "write_answers",
]
