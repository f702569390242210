"""Where work runs, as one value: the device and the processes."""

import os
from dataclasses import dataclass

from wholecase.core.errors import RecipeError


@dataclass(frozen=True)
class Place:
    """Where work runs. It changes how long work takes, never what comes of it.

    Raises:
        RecipeError: fewer than no workers.
    """

    device: str = "cpu"
    workers: int = 1
    """Processes of one thread that may work at a time; 0 keeps everything in this one."""

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise RecipeError(f"{self.workers} workers cannot be; give 0 or more")

    @property
    def accelerated(self) -> bool:
        """Whether the device is another than the processor."""
        return self.device != "cpu"

    def crew(self, items: int) -> int:
        """How many processes share the items; 0 is this process alone.

        On an accelerator they would only take turns, and a single item need not travel.

        >>> Place("cpu", workers=4).crew(10), Place("cpu", workers=4).crew(2)
        (4, 2)
        >>> Place("cuda", workers=4).crew(10), Place("cpu", workers=4).crew(1)
        (0, 0)
        """
        if self.accelerated or items <= 1:
            return 0
        return min(self.workers, items)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        return os.cpu_count() or 1
