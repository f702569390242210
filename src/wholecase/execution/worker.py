"""A spawned process at the other end of a line."""

import contextlib
import gc
import multiprocessing
from collections.abc import Callable
from typing import Any, final

from wholecase.core.outside import Known
from wholecase.execution.interrupts import deaf_children
from wholecase.execution.script import script_left_out
from wholecase.execution.serve import Setup, serve
from wholecase.execution.threads import one_thread_for_children

LEAVING_S = 5.0
"""How long a worker without work may take to leave before it is made to."""


def _serve(serving: Callable[..., None], _known: object, *told: object) -> None:
    gc.disable()  # until all is imported that it works with (`Tool`), which is a fifth sooner
    serving(*told)


@final
class Worker:
    """A process that waits for items; `serving` is what it does with them."""

    def __init__(
        self,
        function: Callable[..., Any],
        setup: Setup | None,
        serving: Callable[..., None] = serve,
    ) -> None:
        # spawn, never fork: the same on every system, and no inherited locks or open slides
        context = multiprocessing.get_context("spawn")
        self.line, theirs = context.Pipe()
        # what is unpickled first lets the rest be found: a cut may be of a file of one's own
        told = (Known(), theirs, function, setup)
        self._process = context.Process(target=_serve, args=(serving, *told), daemon=True)
        self._code: int | None = None
        plain = script_left_out(function, getattr(setup, "func", setup))
        with one_thread_for_children(), deaf_children(), plain:
            self._process.start()
        theirs.close()  # else the line would not break when the process dies

    def take(self, message: tuple[object] | None) -> None:
        """Send an item, or None for the end of work."""
        # a process that is dead already is met when its line is waited for
        with contextlib.suppress(OSError):
            self.line.send(message)

    def kill(self) -> None:
        """Break its end of the line, whatever it does."""
        if not self.line.closed:
            self._process.kill()

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
