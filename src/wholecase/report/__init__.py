"""A run folder becomes one page that can be read, shown and sent: no server, no network."""

from wholecase.report.compare import compare_runs
from wholecase.report.page import write_report
from wholecase.report.share import share

__all__ = ["compare_runs", "share", "write_report"]
