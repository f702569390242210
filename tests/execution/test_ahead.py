"""Reading ahead gives the same items, holds one, and leaves nothing running."""

import threading
from collections.abc import Iterator

import pytest

from wholecase.execution import read_ahead

PATIENCE_S = 20.0
"""After which a thread that never came is a failure; nothing waits this long when all is well."""


def readers() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("wholecase-ahead")]


class Source:
    """Numbers, with a record of how far it was asked and whether it was closed."""

    def __init__(self, count: int, fails_at: int | None = None) -> None:
        self.asked = threading.Semaphore(0)
        self.made: list[int] = []
        self.threads: set[threading.Thread] = set()
        self.closed = False
        self._count, self._fails_at = count, fails_at

    def items(self) -> Iterator[int]:
        try:
            for number in range(self._count):
                if number == self._fails_at:
                    raise OSError(f"item {number} cannot be read")
                self.threads.add(threading.current_thread())
                self.made.append(number)
                self.asked.release()
                yield number
        finally:
            self.closed = True

    def wait_for_one_more(self) -> None:
        assert self.asked.acquire(timeout=PATIENCE_S)


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_the_same_items_in_the_same_order(count: int) -> None:
    source = Source(count)
    with read_ahead(source.items()) as coming:
        assert list(coming) == list(range(count))
    assert source.made == list(range(count))
    assert source.closed
    assert readers() == []


def test_items_that_are_nothing_are_items() -> None:
    with read_ahead(iter([None, 0, False, None])) as coming:
        assert list(coming) == [None, 0, False, None]


def test_one_item_is_made_while_one_is_used_and_no_more() -> None:
    source = Source(10)
    with read_ahead(source.items()) as coming:
        assert source.made == [], "nothing is made before the first is asked for"
        for number in coming:
            source.wait_for_one_more()  # for the one in use
            if number < 9:
                # the next is made without our asking: this returns before we take it
                source.wait_for_one_more()
                source.asked.release()
            # the reader is idle now: its thread has nothing to do until we take the next
            assert source.made == list(range(min(number + 2, 10)))
    assert threading.main_thread() not in source.threads
    assert len(source.threads) == 1


def test_an_error_is_raised_where_the_item_is_taken() -> None:
    source = Source(5, fails_at=2)
    taken = []

    def use() -> None:
        with read_ahead(source.items()) as coming:
            for number in coming:
                taken.append(number)

    with pytest.raises(OSError, match="item 2 cannot be read"):
        use()
    assert taken == [0, 1], "what came before it was used first"
    assert source.closed
    assert readers() == []


def test_an_error_in_an_item_that_nobody_takes_is_nobodys() -> None:
    source = Source(5, fails_at=1)
    with read_ahead(source.items()) as coming:
        assert next(coming) == 0
    assert source.closed
    assert readers() == []


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_leaving_early_closes_the_source_and_ends_the_thread(taken: int) -> None:
    source = Source(100)
    with read_ahead(source.items()) as coming:
        for _ in range(taken):
            next(coming)
    assert source.made == list(range(taken + 1 if taken else 0))
    assert source.closed == bool(taken), "what never began has nothing to close"
    assert readers() == []


def test_an_error_of_the_user_goes_through_and_closes_the_source() -> None:
    source = Source(100)

    def use() -> None:
        with read_ahead(source.items()) as coming:
            next(coming)
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        use()
    assert source.closed
    assert readers() == []


def test_leaving_waits_for_the_item_that_is_being_made() -> None:
    """The thread is in the middle of the source when the block ends; then the source closes."""
    entered, let_go, left = threading.Event(), threading.Event(), threading.Event()
    told: list[str] = []

    def items() -> Iterator[int]:
        try:
            yield 0
            entered.set()
            assert let_go.wait(PATIENCE_S)
            told.append("made")
            yield 1
        finally:
            told.append("closed")

    def leave() -> None:
        with read_ahead(items()) as coming:
            next(coming)
            assert entered.wait(PATIENCE_S)
        left.set()

    leaving = threading.Thread(target=leave)
    leaving.start()
    assert entered.wait(PATIENCE_S)
    assert not left.is_set()
    let_go.set()
    leaving.join(PATIENCE_S)
    assert left.is_set()
    assert told == ["made", "closed"]
    assert readers() == []


def test_a_plain_iterator_needs_no_closing() -> None:
    letters = iter("abcdef")
    with read_ahead(letters) as coming:
        assert next(coming) == "a"
    assert next(letters) == "c", "b was made ahead and is gone; the rest was never touched"
