"""A worker lives for its parent alone: it leaves with it, and lets it decide what Ctrl-C means."""

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import wait

FORSAKEN = 70
"""Exit code of a worker whose parent is gone; nobody is left to read it."""


def follow_parent() -> None:
    """From now on this process ends when its parent does, also in the middle of an item.

    A worker meets the end of its line only between items, and an item may take an hour. What it
    leaves is what any kill leaves: nothing half-written, and locks whose owner is known to be dead.
    """
    # for Windows; elsewhere the process was born deaf to it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, name="wholecase-parent", daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 (only a child comes here)
    wait([parent.sentinel])
    os._exit(FORSAKEN)
