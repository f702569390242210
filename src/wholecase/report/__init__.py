"""A run folder becomes one page that can be read, shown and sent: no server, no network."""

from wholecase.report.page import write_report

__all__ = ["write_report"]
