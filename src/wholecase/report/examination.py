"""What a run was asked about itself, and how it does in parts of its cohort."""

from collections import Counter
from collections.abc import Mapping, Sequence

from wholecase.report.records import CheckRecord, Subgroup
from wholecase.report.terms import METRIC_NAMES
from wholecase.report.wording import count

STATES = ("failed", "muted", "passed", "not applicable")
SEVERITIES = ("error", "warning", "remark")


def in_order(checks: Sequence[CheckRecord]) -> list[CheckRecord]:
    """What failed first, the gravest before others; then by code."""

    def rank(check: CheckRecord) -> tuple[int, int, str]:
        grave = SEVERITIES.index(check.severity) if check.severity in SEVERITIES else 0
        state = STATES.index(check.state) if check.state in STATES else len(STATES)
        return state, grave if check.state == "failed" else 0, check.code

    return sorted(checks, key=rank)


def counted(checks: Sequence[CheckRecord]) -> str:
    """How many are in each state.

    >>> counted([CheckRecord("WC001", "", "error", "passed", "", "")])
    '1 check: 1 passed'
    """
    states = Counter(check.state for check in checks)
    told = ", ".join(f"{states[state]} {state}" for state in STATES if states[state])
    return f"{count(len(checks), 'check')}: {told}"


def metrics_of(subgroups: Mapping[str, Sequence[Subgroup]]) -> list[str]:
    """The metrics that any group has, in the order of the page."""
    known = {name for groups in subgroups.values() for one in groups for name in one.metrics}
    return [name for name in METRIC_NAMES if name in known]
