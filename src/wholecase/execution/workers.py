"""A pool in which a crash costs one item: every worker has its own line and one item at a time.

`concurrent.futures` calls its whole pool broken when one process dies, and does not say which item
did it. Here the line that breaks names the item.
"""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar, final

from wholecase.core.errors import WholecaseError
from wholecase.execution.interrupts import deaf_children
from wholecase.execution.serve import Setup, Tool, attempt, serve
from wholecase.execution.threads import one_thread_for_children

Item = TypeVar("Item")
Result = TypeVar("Result")

LEAVING_S = 5.0
"""How long a worker without work may take to leave before it is made to."""


@dataclass(frozen=True)
class Outcome(Generic[Item, Result]):
    """What became of one item: a result, or an error."""

    item: Item
    result: Result | None
    error: WholecaseError | None


def each(
    function: Callable[..., Result],
    items: Iterable[Item],
    *,
    workers: int,
    setup: Setup | None = None,
) -> Iterator[Outcome[Item, Result]]:
    """Do the function to every item and yield outcomes as they are completed.

    Args:
        function: takes the item, and after it what `setup` made, where there is a setup. With
            workers, function, items and results must be picklable: top-level names.
        items: taken one at a time, as workers become free.
        workers: number of spawned processes, each of one thread; 0 does the work in this process,
            in the order of the items.
        setup: makes what is dear to make, once in each worker; its failure is each item's error.

    Errors of the function become outcomes: a `WholecaseError` as it is, others with the name of
    their type. A process that dies, as in a decoder's segmentation fault, costs the item that it
    had in hand; another takes its place.
    """
    if workers <= 0:
        tool = Tool(setup)
        for item in items:
            yield Outcome(item, *attempt(function, item, tool))
        return
    yield from _in_processes(function, iter(items), workers, setup)


def _in_processes(
    function: Callable[..., Result], items: Iterator[Item], workers: int, setup: Setup | None
) -> Iterator[Outcome[Item, Result]]:
    busy: dict[Connection, tuple[_Worker, Item]] = {}
    leaving: list[_Worker] = []

    def give(item: Item, worker: _Worker) -> None:
        busy[worker.line] = (worker, item)
        worker.take((item,))

    try:
        # `range` first: zip would draw an item more than there are workers, and lose it
        for _, item in zip(range(workers), items, strict=False):
            give(item, _Worker(function, setup))
        while busy:
            ready = wait(list(busy))
            for line in [line for line in busy if line in ready]:
                worker, item = busy.pop(line)
                outcome, lives = _answer(worker, item)
                for following in items:
                    give(following, worker if lives else _Worker(function, setup))
                    break
                else:
                    leaving.append(worker)
                    worker.take(None)
                yield outcome
        for worker in leaving:
            worker.end(patience_s=LEAVING_S)
    finally:
        for worker in (*leaving, *(worker for worker, _ in busy.values())):
            worker.end(patience_s=0.0)


def _answer(worker: "_Worker", item: Item) -> tuple[Outcome[Item, Any], bool]:
    """The outcome, and whether the worker is still alive."""
    try:
        result, error = worker.line.recv()
    except (EOFError, OSError):
        code = worker.end(patience_s=LEAVING_S)
        reason = f"its worker process died (exit code {code}): a decoder crashed or memory ran out"
        return Outcome(item, None, WholecaseError(reason)), False
    except Exception as failure:  # noqa: BLE001 (unpickling raises whatever it likes)
        reason = f"its result cannot be taken over: {type(failure).__name__}: {failure}"
        return Outcome(item, None, WholecaseError(reason)), True
    return Outcome(item, result, error), True


@final
class _Worker:
    """A spawned process at the other end of a line."""

    def __init__(self, function: Callable[..., Any], setup: Setup | None) -> None:
        # spawn, never fork: the same on every system, and no inherited locks or open slides
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, function, setup), daemon=True)
        self._code: int | None = None
        with one_thread_for_children(), deaf_children():
            self._process.start()
        theirs.close()  # else the line would not break when the process dies

    def take(self, message: tuple[object] | None) -> None:
        """Send an item, or None for the end of work."""
        # a process that is dead already is met when its line is waited for
        with contextlib.suppress(OSError):
            self.line.send(message)

    def end(self, *, patience_s: float) -> int | None:
        """See the process end, by force after the patience; its exit code. May be repeated."""
        if not self.line.closed:
            self.line.close()
            self._process.join(patience_s)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            self._code = self._process.exitcode
            self._process.close()
        return self._code
