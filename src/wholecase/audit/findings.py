"""What a check of a cohort has to say."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "remark"]
"""What must be mended, what should be looked at, and what is good to know."""
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "remark")
Costs = Literal["image", "case", "run", "nothing"]
"""What is lost if nobody mends it."""


@dataclass(frozen=True)
class Finding:
    """One thing to mend, or to know of."""

    severity: Severity
    where: str
    """Line and case, or the patients or class."""
    what: str
    """One sentence with the cure."""
    costs: Costs
    problem: str
    """The sort of problem in a few words; findings of one sort are shown together."""

    @property
    def place(self) -> tuple[int, str]:
        """What findings are sorted by: errors first, then by problem."""
        return SEVERITIES.index(self.severity), self.problem
