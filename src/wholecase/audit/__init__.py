"""A cohort checked before it is used: what is in it, and what is wrong."""

from wholecase.audit.check import Audit, check_cohort
from wholecase.audit.counts import Count, SpacingCount
from wholecase.audit.findings import Finding
from wholecase.audit.text import render_text

__all__ = ["Audit", "Count", "Finding", "SpacingCount", "check_cohort", "render_text"]
