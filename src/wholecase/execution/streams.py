"""Workers that answer in parts: what they prepare is used here, while they prepare more.

Every line has a thread that fetches from it into one bounded queue, so that neither the workers nor
the one who uses the parts waits for the other as long as there is something to do; and memory holds
a part per worker and line, and `ahead` more, however large an item is.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, final

from wholecase.core.errors import WorkerDied
from wholecase.execution.parts import PART, serve_parts
from wholecase.execution.serve import Setup
from wholecase.execution.worker import LEAVING_S, Worker
from wholecase.execution.workers import Item, Outcome

Value = TypeVar("Value")
Message = tuple[str, Any] | None
"""(PART, value), (END, error or None), or None for a line that broke."""


@dataclass(frozen=True)
class Part(Generic[Item, Value]):
    """Something of what an item gives."""

    item: Item
    value: Value


@dataclass(frozen=True)
class Again(Generic[Item]):
    """The worker of an item died: its parts so far are void, and come anew at the end."""

    item: Item


def parallel_stream(
    function: Callable[..., Iterator[Value]],
    items: Iterable[Item],
    *,
    workers: int,
    ahead: int = 4,
    setup: Setup | None = None,
) -> Iterator[Part[Item, Value] | Again[Item] | Outcome[Item, None]]:
    """Iterate the function over every item in workers; yield its parts, and an outcome at its end.

    The parts of an item come in their order, and those of several items in between each other.

    Args:
        function: takes the item, and after it what `setup` made; yields picklable values.
        items: taken one at a time, in this process and thread, as workers become free.
        workers: number of spawned processes, each of one thread, at least one.
        ahead: parts that wait here to be used.
        setup: makes what is dear to make, once in each worker.

    An error ends its item with an outcome that says so; parts of it may have been yielded before.
    The death of a process voids them: an `Again` says so at once, and at the end the item is tried
    once more, alone in a fresh process. Where that dies, too, its error is a `WorkerDied`.
    """
    fallen: list[Item] = []
    with contextlib.closing(_round(_Crew(function, setup, ahead), iter(items), workers)) as events:
        for event in events:
            if isinstance(event, Outcome) and isinstance(event.error, WorkerDied):
                fallen.append(event.item)
                yield Again(event.item)
            else:
                yield event
    yield from _round(_Crew(function, setup, ahead), iter(fallen), 1)


def _round(
    crew: "_Crew[Item]", remaining: Iterator[Item], workers: int
) -> Generator[Part[Item, Any] | Outcome[Item, None], None, None]:
    try:
        # `range` first: zip would draw an item more than there are workers, and lose it
        for _, item in zip(range(max(workers, 1)), remaining, strict=False):
            crew.give(item, None)
        while crew.busy:
            line, message = crew.fetch()
            if line not in crew.busy:  # it was told to leave, and left
                continue
            if message is not None and message[0] == PART:
                yield Part(crew.busy[line], message[1])
                continue
            item = crew.busy.pop(line)
            error = line.end() if message is None else message[1]
            for following in remaining:
                crew.give(following, None if message is None else line)
                break
            else:
                line.worker.take(None)
            yield Outcome(item, None, error)
    finally:
        crew.dismiss()


@final
class _Line:
    """A worker and the thread that fetches what it sends."""

    def __init__(self, worker: Worker, arrived: "queue.Queue[tuple[_Line, Message]]") -> None:
        self.worker, self._arrived = worker, arrived
        self.thread = threading.Thread(target=self._fetch, daemon=True)
        self.thread.start()

    def end(self) -> WorkerDied:
        """The process is gone; what is told of its item."""
        return WorkerDied(self.worker.end(patience_s=LEAVING_S))

    def _fetch(self) -> None:
        while True:
            try:
                message: Message = self.worker.line.recv()
            except Exception:  # noqa: BLE001 (unpickling raises whatever it likes)
                message = None
            self._arrived.put((self, message))
            if message is None:
                return


@final
class _Crew(Generic[Item]):
    """The lines, and which item each of them has in hand."""

    def __init__(self, function: Callable[..., Any], setup: Setup | None, ahead: int) -> None:
        self._task = function, setup
        self._arrived: queue.Queue[tuple[_Line, Message]] = queue.Queue(ahead)
        self._lines: list[_Line] = []
        self.busy: dict[_Line, Item] = {}

    def give(self, item: Item, line: _Line | None) -> None:
        """Hand an item to a line, or to a new one."""
        if line is None:
            line = _Line(Worker(*self._task, serving=serve_parts), self._arrived)
            self._lines.append(line)
        self.busy[line] = item
        line.worker.take((item,))

    def fetch(self) -> tuple[_Line, Message]:
        """What came next."""
        while True:
            try:
                # with a limit, since Windows does not let Ctrl-C through to a wait without one
                return self._arrived.get(timeout=1.0)
            except queue.Empty:
                continue

    def dismiss(self) -> None:
        """End all workers, and the threads that wait for them."""
        for line in self.busy:
            line.worker.kill()
        for line in self._lines:
            self._join(line)
            line.worker.end(patience_s=LEAVING_S)

    def _join(self, line: _Line) -> None:
        while line.thread.is_alive():
            try:
                self._arrived.get(timeout=0.05)
            except queue.Empty:
                line.thread.join(0.05)
