"""Ctrl-C reaches every process of a terminal's group; the parent alone decides what it means."""

import contextlib
import os
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started within ignore Ctrl-C from their first moment.

    Else one that is still importing would die with a traceback of its own. A Ctrl-C that comes
    meanwhile reaches this process afterwards.
    """
    if os.name == "nt":  # it has no signal masks to inherit
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # it would lift the mask when started within
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
