"""A number with the range in which it may lie, and where there is none the reason."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

FEW = 30
"""Patients below whom redraws cover less often than they say (decision 15 has the table)."""

UNDEFINED = "undefined for these cases"
ONE = "one patient tells nothing of others"
TOO_FEW = f"fewer than {FEW} patients, or of a class: too few to redraw, and no formula is known"
ALIKE = "all redraws of patients agree, which is no certainty"
LOST = "too many redraws of patients lose a class"
NOT_REDRAWN = "neither redraws of these patients nor a formula tell how it would vary"


@dataclass(frozen=True)
class Interval:
    """A value of n patients and where it may lie; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    method: str | None = None
    """`bootstrap` or `formula`; None where there are no ends."""
    reason: str | None = None
    """Why there are no ends."""

    def to_json(self) -> dict[str, Any]:
        """As `metrics.json` holds it.

        >>> Interval(0.5, None, None, 1).to_json()
        {'value': 0.5, 'low': None, 'high': None, 'n': 1, 'method': None, 'reason': None}
        """
        return asdict(self)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "Interval":
        """What `to_json` gave; what else a file tells of it is left out."""
        return cls(**{field.name: told[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class Gap:
    """The difference of two judges of the same cases, and how likely chance alone makes it."""

    difference: Interval
    p: float | None
    """Two-sided; None where nothing can be told."""
    how: str
    """The test in words, and on how many patients it rests."""
    false_claim: float | None = None
    """How likely the one that did better is not better, given the same table and nothing else."""


def without_ends(value: float | None, n: int, reason: str) -> Interval:
    """A value of n patients of which no more can be told."""
    return Interval(value, None, None, n, None, reason)
