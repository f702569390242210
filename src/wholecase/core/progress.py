"""Long work shows how far it is, how fast it goes and when it will be done."""

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from wholecase.core.outlet import outlet
from wholecase.core.phase import Phase

Advance = Callable[..., None]
"""`advance(amount=1, **facts)`."""
QUIET_S = 30.0
"""Without a terminal a phase says no more than a line in so many seconds."""


@contextlib.contextmanager
def progress(label: str, total: int, unit: str = "images") -> Iterator[Advance]:
    """Yield `advance(amount=1, **facts)`; draws a bar on stderr, or now and then a line.

    Facts are what is known of the work beside its amount, such as `fold=2, epoch=7, loss=0.31`;
    with an amount of 0 they are all that is new. The amount may be negative for work that is to be
    done again. Without a terminal there is a line at the start, at the end, and in between at most
    every 30 s. The log that `core.outlet` was given gets the same, and all facts.
    """
    phase = Phase(label, total, unit)
    phase.note("start")
    try:
        with _shown(phase) as advance:
            yield advance
    except BaseException:
        phase.note("stopped")
        raise
    phase.note("end")


@contextlib.contextmanager
def _shown(phase: Phase) -> Iterator[Advance]:
    if outlet().quiet:
        yield phase.advance
        return
    # rich takes 50 ms to import, which `wholecase --help` need not pay
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console, phase) as advance:
            yield advance
        return
    with _lines(phase) as advance:
        yield advance


@contextlib.contextmanager
def _bar(console: Any, phase: Phase) -> Iterator[Advance]:  # noqa: ANN401 (its type costs 50 ms)
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
    from rich.table import Column
    from rich.text import Text

    class Words(ProgressColumn):
        def render(self, task: Task) -> Text:  # noqa: ARG002 (the phase knows more)
            return Text(", ".join(phase.words()), style="dim")

    words = Words(Column(no_wrap=True, overflow="ellipsis"))
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), words)
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(phase.label, total=phase.total)

        def advance(amount: int = 1, /, **facts: object) -> None:
            phase.advance(amount, **facts)
            bar.update(task, completed=phase.done)

        yield advance


@contextlib.contextmanager
def _lines(phase: Phase) -> Iterator[Advance]:
    said = time.monotonic()

    def advance(amount: int = 1, /, **facts: object) -> None:
        nonlocal said
        phase.advance(amount, **facts)
        now = time.monotonic()
        if phase.done < phase.total and now - said >= QUIET_S:
            said = now
            outlet().say(f"{phase.label}: {', '.join(phase.words())}")

    if phase.total:
        outlet().say(f"{phase.label}: {phase.total} {phase.unit}")
    yield advance
    if phase.total:
        outlet().say(f"{phase.label}: {', '.join(phase.words_at_end())}")
