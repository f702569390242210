"""Long work shows how far it is, how fast it goes and when it will be done."""

import contextlib
from collections.abc import Callable, Iterator

Advance = Callable[..., None]


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "images") -> Iterator[Advance]:
    """Yield `advance(amount=1)`; draws a bar on stderr, or a line now and then without a terminal.

    The rate and the time left come from the work done so far in this call.
    """
    # rich takes 50 ms to import, which `wholecase --help` need not pay
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, label, total, unit) as advance:
            yield advance
    else:
        yield _lines(console, label, total, unit)


@contextlib.contextmanager
def _bar(console: object, label: str, total: int, unit: str) -> Iterator[Advance]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "", style="dim")

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:  # type: ignore[arg-type]
        task = bar.add_task(label, total=total)

        def advance(amount: int = 1) -> None:
            bar.advance(task, amount)

        yield advance


def _lines(console: object, label: str, total: int, unit: str) -> Advance:
    import time

    started, done, told = time.monotonic(), 0, time.monotonic()

    def advance(amount: int = 1) -> None:
        nonlocal done, told
        done += amount
        now = time.monotonic()
        if done < total and now - told < 10:
            return
        told = now
        rate = done / max(now - started, 1e-9)
        left = f", {(total - done) / rate:.0f} s left" if done < total else ""
        console.print(f"{label}: {done}/{total}, {rate:.1f} {unit}/s{left}")  # type: ignore[attr-defined]

    return advance
