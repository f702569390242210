"""A cohort checked before it is used: what is in it, and what is wrong."""

from wholecase.audit.alike import Alike
from wholecase.audit.check import Audit, check_cohort
from wholecase.audit.counts import Count, PowerCount, SpacingCount, power_told
from wholecase.audit.crossing import Crossing, crossings, of_several_patients
from wholecase.audit.findings import Finding
from wholecase.audit.images import Losses
from wholecase.audit.page import write_page
from wholecase.audit.scales import Scales, scales_of
from wholecase.audit.text import aligned, render_text
from wholecase.audit.words import counted_for, power_name, verdict

__all__ = [
    "Alike",
    "Audit",
    "Count",
    "Crossing",
    "Finding",
    "Losses",
    "PowerCount",
    "Scales",
    "SpacingCount",
    "aligned",
    "check_cohort",
    "counted_for",
    "crossings",
    "of_several_patients",
    "power_name",
    "power_told",
    "render_text",
    "scales_of",
    "verdict",
    "write_page",
]
