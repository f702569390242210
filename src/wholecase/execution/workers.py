"""A pool in which a crash costs one item: every worker has its own line and one item at a time.

`concurrent.futures` calls its whole pool broken when one process dies, and does not say which item
did it. Here the line that breaks names the item.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any, Generic, TypeVar

from wholecase.core.errors import WholecaseError
from wholecase.execution.serve import Setup, Tool, attempt
from wholecase.execution.worker import LEAVING_S, Worker, died

Item = TypeVar("Item")
Result = TypeVar("Result")


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
    busy: dict[Connection, tuple[Worker, Item]] = {}
    leaving: list[Worker] = []

    def give(item: Item, worker: Worker) -> None:
        busy[worker.line] = (worker, item)
        worker.take((item,))

    try:
        # `range` first: zip would draw an item more than there are workers, and lose it
        for _, item in zip(range(workers), items, strict=False):
            give(item, Worker(function, setup))
        while busy:
            ready = wait(list(busy))
            for line in [line for line in busy if line in ready]:
                worker, item = busy.pop(line)
                outcome, lives = _answer(worker, item)
                for following in items:
                    give(following, worker if lives else Worker(function, setup))
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


def _answer(worker: Worker, item: Item) -> tuple[Outcome[Item, Any], bool]:
    """The outcome, and whether the worker is still alive."""
    try:
        result, error = worker.line.recv()
    except (EOFError, OSError):
        return Outcome(item, None, died(worker.end(patience_s=LEAVING_S))), False
    except Exception as failure:  # noqa: BLE001 (unpickling raises whatever it likes)
        reason = f"its result cannot be taken over: {type(failure).__name__}: {failure}"
        return Outcome(item, None, WholecaseError(reason)), True
    return Outcome(item, result, error), True
