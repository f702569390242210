"""How a drawn cohort is made: in several processes, its table last."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import cv2

from wholecase.core.files import write_text

Item = TypeVar("Item")
Made = TypeVar("Made")


def drawn(draw: Callable[[Item], Made], planned: Sequence[Item], workers: int) -> Iterator[Made]:
    """What `draw` makes of each planned item, in their order."""
    if workers <= 1:
        yield from map(draw, planned)
        return
    # spawned, as a forked copy of a process with threads may hang; one thread each
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,)
    )
    with pool:
        yield from pool.map(draw, planned)


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    """Write a CSV whole or not at all, and return its path."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows([columns, *rows])
    write_text(path, text.getvalue())
    return path
