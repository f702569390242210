"""News of an item while it is worked on: an epoch that ended, a loss. Never part of its result."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

Ear = Callable[[object], None]

_ear: ContextVar[Ear | None] = ContextVar("wholecase-ear", default=None)


def tell(news: object) -> None:
    """Let whoever waits for this item know; where nobody listens, nothing happens.

    To be called by the function given to `parallel_map`, in the thread in which it was called.

    Args:
        news: small and picklable. It waits until the next outcome is asked for, and a worker that
            is 64 kB ahead waits with it.

    >>> heard = []
    >>> with listening(heard.append):
    ...     tell({"epoch": 1})
    >>> tell({"epoch": 2})
    >>> heard
    [{'epoch': 1}]
    """
    if (ear := _ear.get()) is not None:
        ear(news)


@contextlib.contextmanager
def listening(ear: Ear) -> Iterator[None]:
    """Within, what is told goes to the ear."""
    token = _ear.set(ear)
    try:
        yield
    finally:
        _ear.reset(token)
