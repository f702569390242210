"""A pool in which a crash costs little: every worker has its own line and one item at a time.

`concurrent.futures` calls its whole pool broken when one process dies, and does not say which item
did it. Here the line that breaks names the item, which is tried once more when all others are done:
a process that the system ended for want of memory may then have it all (docs/decisions/0014).
"""

import contextlib
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, final

from wholecase.core.errors import WholecaseError, WorkerDied
from wholecase.execution.serve import NEWS, Setup, Tool, attempt
from wholecase.execution.tell import listening
from wholecase.execution.worker import LEAVING_S, Worker

Item = TypeVar("Item")
Result = TypeVar("Result")
Heard = Callable[[Any, Any], None]
"""Takes an item and what was told of it."""


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """What became of one item: a result, or an error."""

    item: Item
    result: Result | None
    error: WholecaseError | None


def parallel_map(
    function: Callable[..., Result],
    items: Iterable[Item],
    *,
    workers: int,
    setup: Setup | None = None,
    heard: Heard | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Do the function to every item and yield outcomes as they are completed.

    Args:
        function: takes the item, and after it what `setup` made, where there is a setup. With
            workers, function, items and results must be picklable: top-level names.
        items: taken one at a time, as workers become free.
        workers: number of spawned processes, each of one thread; 0 does the work in this process,
            in the order of the items.
        setup: makes what is dear to make, once in each worker; its failure is each item's error.
        heard: takes an item and the news that the function told of it with `tell`; called in this
            thread, while outcomes are waited for. An item that is tried again tells anew.

    Errors of the function become outcomes: a `WholecaseError` as it is, others with the name of
    their type. The item of a process that dies, for want of memory or in a decoder's segmentation
    fault, is tried once more at the end, alone in a fresh process; where that dies, too, its error
    is a `WorkerDied`.
    """
    if workers <= 0:
        yield from _in_this_process(function, items, setup, heard)
        return
    fallen: list[Item] = []
    with contextlib.closing(
        _in_processes(function, iter(items), workers, setup, heard)
    ) as outcomes:
        for outcome in outcomes:
            if isinstance(outcome.error, WorkerDied):
                fallen.append(outcome.item)
            else:
                yield outcome
    yield from _in_processes(function, iter(fallen), 1, setup, heard)


def _in_this_process(
    function: Callable[..., Result],
    items: Iterable[Item],
    setup: Setup | None,
    heard: Heard | None,
) -> Iterator[Outcome[Item, Result]]:
    tool = Tool(setup)
    for item in items:
        with listening(partial(heard or _unheard, item)):
            result, error = attempt(function, item, tool)
        yield Outcome(item, result, error)


def _in_processes(
    function: Callable[..., Result],
    items: Iterator[Item],
    workers: int,
    setup: Setup | None,
    heard: Heard | None,
) -> Generator[Outcome[Item, Result], None, None]:
    crew: _Crew[Item] = _Crew(function, setup)
    try:
        # `range` first: zip would draw an item more than there are workers, and lose it
        for _, item in zip(range(workers), items, strict=False):
            crew.give(item, None)
        while crew.busy:
            for worker, item in crew.answering():
                outcome, lives = _answer(worker, item, heard or _unheard)
                if outcome is not None:
                    crew.go_on(worker, items, lives=lives)
                    yield outcome
        crew.dismiss(patience_s=LEAVING_S)
    finally:
        crew.dismiss(patience_s=0.0)


@final
class _Crew(Generic[Item]):
    """The workers, and which item each of them has in hand."""

    def __init__(self, function: Callable[..., Any], setup: Setup | None) -> None:
        self._task = function, setup
        self._leaving: list[Worker] = []
        self.busy: dict[Connection, tuple[Worker, Item]] = {}

    def give(self, item: Item, worker: Worker | None) -> None:
        """Hand an item to a worker, or to a new one."""
        worker = worker or Worker(*self._task)
        self.busy[worker.line] = (worker, item)
        worker.take((item,))

    def answering(self) -> list[tuple[Worker, Item]]:
        """Wait for those that have something to say."""
        ready = wait(list(self.busy))
        return [one for line, one in self.busy.items() if line in ready]

    def go_on(self, worker: Worker, items: Iterator[Item], *, lives: bool) -> None:
        """What a worker that is done with its item does next: another, or nothing more."""
        del self.busy[worker.line]
        for following in items:
            self.give(following, worker if lives else None)
            return
        self._leaving.append(worker)
        worker.take(None)

    def dismiss(self, *, patience_s: float) -> None:
        """End all workers."""
        for worker in (*self._leaving, *(worker for worker, _ in self.busy.values())):
            worker.end(patience_s=patience_s)


def _answer(worker: Worker, item: Item, heard: Heard) -> tuple[Outcome[Item, Any] | None, bool]:
    """The outcome, or None where it was only news; and whether the worker is still alive."""
    try:
        kind, value = worker.line.recv()
    except (EOFError, OSError):
        return Outcome(item, None, WorkerDied(worker.end(patience_s=LEAVING_S))), False
    except Exception as failure:  # noqa: BLE001 (unpickling raises whatever it likes)
        worker.end(patience_s=0.0)  # was it the result, or news? nobody knows what it does now
        reason = f"what it tells cannot be taken over: {type(failure).__name__}: {failure}"
        return Outcome(item, None, WholecaseError(reason)), False
    if kind == NEWS:
        heard(item, value)
        return None, True
    return Outcome(item, *value), True


def _unheard(_item: object, _news: object) -> None:
    """Nobody listens."""
