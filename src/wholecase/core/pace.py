"""How fast work goes, and when it will be done."""

from collections import deque
from statistics import median
from typing import final

RECENT = 100
"""Steps that count; what was before them, such as the start of workers, does not come again."""
FEW = 16
"""Below so many steps their mean is all there is."""
AT_A_TIME = 4
"""A pace is taken over a quarter of the recent steps: workers that began together end together,
and their steps come in bursts. One long step touches a quarter of the paces, and not the median."""


@final
class Pace:
    """Seconds per unit of work: the median over stretches of the recent steps.

    Args:
        now: seconds on any clock that only goes forward.
    """

    def __init__(self, now: float) -> None:
        self._steps: deque[tuple[float, int]] = deque([(now, 0)], RECENT + 1)

    def step(self, now: float, done: int) -> None:
        """So much is done by now; work that is undone begins the count anew."""
        if done < self._steps[-1][1]:
            self._steps = deque([(now, done)], RECENT + 1)
        else:
            self._steps.append((now, done))

    @property
    def seconds_each(self) -> float | None:
        """Seconds per unit; None before the first."""
        seen = tuple(self._steps)  # at once: a bar asks from another thread
        steps = len(seen) - 1
        if steps < 1:
            return None
        stretch = steps if steps < FEW else steps // AT_A_TIME
        return median(
            (later - before) / max(done - had, 1e-9)
            for (before, had), (later, done) in zip(seen, seen[stretch:], strict=False)
        )

    def left_s(self, now: float, total: int) -> float | None:
        """Seconds until all is done; runs down while a step takes its time."""
        if (each := self.seconds_each) is None:
            return None
        since, done = self._steps[-1]
        most = each * (total - done)
        return max(most - (now - since), most - each, 0.0)
