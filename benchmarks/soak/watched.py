"""Worker processes whose time and memory are watched, one file at a time."""

import multiprocessing
import random
import shutil
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from mutate import Change
from samples import Sample

POLL_S = 0.05
"""Memory is looked at as often."""
PATIENCE = 4
"""On the clock, so many times what is granted on the CPU: other programs may share the machine."""
FAULT = "FAULT"


@dataclass(frozen=True)
class Task:
    """One sound file and how it is spoilt."""

    number: int
    sample: Sample
    name: str
    change: Change
    seed: tuple[int, ...]


@dataclass
class Result:
    """What became of it, and what it took."""

    task: Task
    outcome: str
    why: str
    seconds: float = 0.0
    """Of the CPU."""
    memory_mb: float = 0.0


@dataclass
class Worker:
    """A process and what it has in hand."""

    line: Connection
    process: Any
    task: Task | None = None
    since: float = 0.0
    cpu_s: float = 0.0
    cpu_before_s: float = 0.0
    peak_mb: float = 0.0
    folder: Path = field(default_factory=Path)


def spoilt(task: Task, folder: Path) -> Path:
    """The file as the task spoils it; the same wherever it is done."""
    file = folder / task.sample.path.name
    content = task.sample.path.read_bytes()
    file.write_bytes(task.change(content, np.random.default_rng(task.seed)))
    return file


def serve(line: Connection, place: Path) -> None:
    """Do what comes until nothing does."""
    import os

    import trials

    from wholecase.core.outlet import telling

    os.chdir(place)
    warnings.simplefilter("error", RuntimeWarning)  # numpy's; a user would be shown them
    quietly = telling(quiet=True, log=None)
    quietly.__enter__()
    while (task := line.recv()) is not None:
        with tempfile.TemporaryDirectory(dir=place) as name:
            file = spoilt(task, Path(name))
            line.send("ready")
            began = time.process_time()
            try:
                verdict = trials.judge(task.sample, file, Path(name))
                outcome, why = verdict.outcome, verdict.why
            except Exception:  # noqa: BLE001 (whatever escapes the toolkit is looked for)
                outcome, why = FAULT, traceback.format_exc()
            line.send((outcome, why, time.process_time() - began))


def done(
    tasks: Sequence[Task], workers: int, place: Path, most_s: float, most_mb: float
) -> Iterator[Result]:
    """Each task's result as it comes; who takes too long or too much is ended and named."""
    waiting, pool = list(reversed(tasks)), [started(place) for _ in range(workers)]
    try:
        while waiting or any(worker.task for worker in pool):
            for number, worker in enumerate(pool):
                if worker.task is None and waiting:
                    hand(worker, waiting.pop())
                if worker.task and (result := looked_at(worker, most_s, most_mb)):
                    yield result
                    if not worker.process.is_alive():
                        pool[number] = started(place)
            wait([worker.line for worker in pool], POLL_S)
    finally:
        for worker in pool:
            worker.process.kill()


def started(place: Path) -> Worker:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    folder = Path(tempfile.mkdtemp(dir=place))
    process = context.Process(target=serve, args=(theirs, folder), daemon=True)
    process.start()
    theirs.close()
    return Worker(ours, process, folder=folder)


def hand(worker: Worker, task: Task) -> None:
    worker.line.send(task)
    worker.task, worker.since, worker.peak_mb = task, 0.0, 0.0


def looked_at(worker: Worker, most_s: float, most_mb: float) -> Result | None:
    """The result, if there is one by now."""
    with suppress(psutil.Error):
        alive = psutil.Process(worker.process.pid)
        worker.peak_mb = max(worker.peak_mb, alive.memory_info().rss / 2**20)
        worker.cpu_s = sum(alive.cpu_times()[:2])
    took = time.perf_counter() - worker.since if worker.since else 0.0
    try:
        if worker.line.poll():
            if (message := worker.line.recv()) == "ready":
                worker.since, worker.cpu_before_s = time.perf_counter(), worker.cpu_s
                return None
            outcome, why, seconds = message
            return ended(worker, outcome, why, seconds)
    except (EOFError, ConnectionError):
        worker.process.join()
        return lost(worker, f"the process died, exit code {worker.process.exitcode}", took)
    if worker.cpu_s - worker.cpu_before_s > most_s or took > PATIENCE * most_s:
        return lost(worker, f"over {most_s:g} s", took)
    return lost(worker, f"over {most_mb:g} MB", took) if worker.peak_mb > most_mb else None


def lost(worker: Worker, why: str, seconds: float) -> Result:
    worker.process.kill()
    worker.process.join()
    shutil.rmtree(worker.folder, ignore_errors=True)
    return ended(worker, FAULT, why, seconds)


def ended(worker: Worker, outcome: str, why: str, seconds: float) -> Result:
    task, worker.task = worker.task, None
    assert task is not None
    return Result(task, outcome, why, seconds, worker.peak_mb)


def shuffled(tasks: list[Task], seed: int) -> list[Task]:
    """In an order in which any beginning holds all kinds."""
    return random.Random(seed).sample(tasks, len(tasks))
