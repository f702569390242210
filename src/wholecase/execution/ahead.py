"""Reading ahead: the next item is made while the one before it is used."""

import contextlib
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


@contextlib.contextmanager
def read_ahead(items: Iterator[Item]) -> Iterator[Iterator[Item]]:
    """The same items in the same order, each asked for in a thread while the one before is used.

    One item is held besides the one in use. What goes wrong in the thread is raised where the item
    is taken. When the block ends, by an error or early, the thread has ended too and the items are
    closed. The thread touches only the items: they must not draw from a generator that is shared.

    >>> with read_ahead(iter("abc")) as letters:
    ...     print(*letters)
    a b c
    """
    with contextlib.ExitStack() as closing:
        if isinstance(items, Generator):
            closing.callback(items.close)
        reader = closing.enter_context(ThreadPoolExecutor(1, "wholecase-ahead"))
        yield _taken(items, reader)


def _taken(items: Iterator[Item], reader: ThreadPoolExecutor) -> Iterator[Item]:
    end = object()
    coming = reader.submit(next, items, end)
    while (item := coming.result()) is not end:
        coming = reader.submit(next, items, end)
        yield item  # type: ignore[misc]
