"""A cohort checked before it is used: what is in it, and what is wrong."""

from wholecase.audit.alike import Alike
from wholecase.audit.check import Audit, check_cohort
from wholecase.audit.counts import Count, PowerCount, SpacingCount
from wholecase.audit.crossing import Crossing, crossings, of_several_patients
from wholecase.audit.findings import Finding
from wholecase.audit.images import Losses
from wholecase.audit.page import write_page
from wholecase.audit.text import render_text

__all__ = [
    "Alike",
    "Audit",
    "Count",
    "Crossing",
    "Finding",
    "Losses",
    "PowerCount",
    "SpacingCount",
    "check_cohort",
    "crossings",
    "of_several_patients",
    "render_text",
    "write_page",
]
