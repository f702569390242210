"""Where work tells how it goes: stderr, unless it is to be quiet, and a log where one is asked for.

It is set once, by the command line; nothing that is computed depends on it.
"""

import contextlib
import json
import math
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO, final


@final
class Outlet:
    """Takes what is to be told."""

    def __init__(self, *, quiet: bool = False, log: TextIO | None = None) -> None:
        self.quiet, self._log = quiet, log

    def say(self, text: str) -> None:
        """A line for people."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)  # noqa: T201 (the one place that does)

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """A line of JSON for programs; a full disk costs the line, not the work."""
        if self._log is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = json.dumps({"time": now, "event": event, **plain(facts)}, default=str)
        with contextlib.suppress(OSError):
            self._log.write(f"{line}\n")
            self._log.flush()


_outlet: ContextVar[Outlet] = ContextVar("wholecase-outlet")


def outlet() -> Outlet:
    """The one that was set, or stderr alone."""
    return _outlet.get(None) or Outlet()


@contextlib.contextmanager
def telling(*, quiet: bool = False, log: Path | None = None) -> Iterator[None]:
    """Within, work tells no more than this.

    Args:
        quiet: nothing on stderr but what goes wrong.
        log: lines of JSON are added to this file.

    Raises:
        OSError: the log cannot be written.
    """
    with contextlib.ExitStack() as closing:
        file = None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            file = closing.enter_context(log.open("a", encoding="utf-8", newline="\n"))
        token = _outlet.set(Outlet(quiet=quiet, log=file))
        closing.callback(_outlet.reset, token)
        yield


def message(text: str) -> None:
    """Tell people and the log something that they may want to know meanwhile."""
    outlet().say(text)
    outlet().note("message", {"message": text})


def plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The same as JSON has it: numbers of whatever library as Python's, and none that is no number.

    >>> plain({"loss": float("nan"), "epoch": 3})
    {'loss': None, 'epoch': 3}
    """
    return {name: _plain(value) for name, value in facts.items()}


def _plain(value: Any) -> Any:  # noqa: ANN401 (numbers of any library)
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
