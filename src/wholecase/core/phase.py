"""A stretch of long work: how much of it is done, and what else is known of it."""

import time
from collections.abc import Iterator
from typing import Any, final

from wholecase.core.outlet import outlet, plain
from wholecase.core.pace import Pace

NOTED_S = 1.0
"""The log gets a line a second at most, besides those with facts."""


@final
class Phase:
    """Counts, and notes in the log what it counts."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self.label, self.total, self.unit = label, total, unit
        self.done = 0
        self.facts: dict[str, Any] = {}
        self._started = self._noted = time.monotonic()
        self._pace = Pace(self._started)

    def advance(self, amount: int = 1, /, **facts: object) -> None:
        """So much more is done, and this is known of it."""
        now = time.monotonic()
        if amount:
            self.done += amount
            self._pace.step(now, self.done)
        self.facts = plain(facts) or self.facts
        if facts or now - self._noted >= NOTED_S:
            self._noted = now
            self.note("progress")

    def note(self, event: str) -> None:
        """A line in the log."""
        each, left = self._pace.seconds_each, self._left()
        outlet().note(
            event,
            {
                "phase": self.label,
                "done": self.done,
                "total": self.total,
                "unit": self.unit,
                "rate": None if each is None else _short(1 / max(each, 1e-9)),
                "eta": None if left is None else _short(left),
                **({"facts": self.facts} if self.facts else {}),
            },
        )

    def words(self) -> Iterator[str]:
        """How far, how fast, how long still, and what else is known."""
        yield f"{self.done}/{self.total}"
        if (each := self._pace.seconds_each) is not None:
            yield _speed(each, self.unit)
        if (left := self._left()) is not None and self.done < self.total:
            yield f"{duration(left)} left"
        yield from (f"{name} {_short(value)}" for name, value in self.facts.items())

    def words_at_end(self) -> Iterator[str]:
        """How much it was, and how long it took."""
        took = time.monotonic() - self._started
        yield f"{self.done}/{self.total} in {duration(took)}"
        if self.done > 0:
            yield _speed(took / self.done, self.unit)

    def _left(self) -> float | None:
        return self._pace.left_s(time.monotonic(), self.total)


def duration(seconds: float) -> str:
    """Seconds as people say them.

    >>> duration(63.0), duration(1500.0), duration(12345.0)
    ('63 s', '25 min', '3 h 26 min')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _speed(each_s: float, unit: str) -> str:
    if each_s > 2:
        return f"{duration(each_s)} each"
    return f"{1 / max(each_s, 1e-9):.1f} {unit}/s"


def _short(value: Any) -> Any:  # noqa: ANN401 (whatever is known of work)
    return float(f"{value:.4g}") if isinstance(value, float) else value
