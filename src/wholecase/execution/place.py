"""Where work runs: decided once, handed to whatever works."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """A device, worker processes and threads; none of it changes what is computed."""

    device: str = "cpu"
    workers: int = 1
    """Processes beside this one; 0 does all work in this one."""
    threads: int = 1
    """Of the CPU, for each process that computes."""

    def crew(self, items: int) -> int:
        """How many processes share that many items: none where they would only take turns.

        An accelerator is one, so that models on it would wait for each other; a single item need
        not travel.

        >>> Place(workers=4).crew(3), Place(workers=4).crew(1), Place("cuda", workers=4).crew(3)
        (3, 0, 0)
        """
        alone = self.device != "cpu" or items < 2
        return 0 if alone else min(self.workers, items)


def cores() -> int:
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows do not tell
        return os.cpu_count() or 1
