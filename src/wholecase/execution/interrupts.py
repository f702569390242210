"""Ctrl-C reaches every process of a terminal's group; the parent alone decides what it means."""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def deaf_children() -> Iterator[None]:
    """Let processes that are started within ignore Ctrl-C from their first moment.

    Else one that is still importing would die with a traceback of its own. A Ctrl-C that comes
    meanwhile reaches this process afterwards: in between, it would leave a process without the rest
    of what it is to be told.
    """
    with _after_the_start(), _masked():
        yield


@contextlib.contextmanager
def _masked() -> Iterator[None]:
    """The mask that children inherit; it keeps a signal from this thread alone."""
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


@contextlib.contextmanager
def _after_the_start() -> Iterator[None]:
    """Put Ctrl-C off: where other threads run, one of them takes it, and this one is interrupted.

    Only the main thread is interrupted, and only it may say so.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    came: list[FrameType | None] = []
    signal.signal(signal.SIGINT, lambda _number, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if came:
            handler(signal.SIGINT, came[0])
