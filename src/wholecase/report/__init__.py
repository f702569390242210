"""A run folder becomes one page that can be read, shown and sent: no server, no network."""

from wholecase.report.checklists import write_checklist
from wholecase.report.compare import (
    Comparison,
    Judged,
    Pair,
    compare,
    compare_runs,
    judged_alike,
    judged_scores,
)
from wholecase.report.compare_lines import disputed_lines, pair_lines
from wholecase.report.compare_page import compare_page
from wholecase.report.model_card import write_card
from wholecase.report.page import write_report
from wholecase.report.runs_table import run_lines, runs_in
from wholecase.report.share import share
from wholecase.report.terms import TERMS, metric_name

__all__ = [
    "TERMS",
    "Comparison",
    "Judged",
    "Pair",
    "compare",
    "compare_page",
    "compare_runs",
    "disputed_lines",
    "judged_alike",
    "judged_scores",
    "metric_name",
    "pair_lines",
    "run_lines",
    "runs_in",
    "share",
    "write_card",
    "write_checklist",
    "write_report",
]
