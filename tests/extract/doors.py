"""Cuts that do to their process what damaged files do; workers import them from here."""

import os
import signal
from pathlib import Path
from typing import Any, final

from wholecase.extract.readable import Readable
from wholecase.instances import Cut, Grid, Instances
from wholecase.sources import ImageSource


@final
class Crashing(Cut):
    """A grid; on an image of the name `crash` the process dies as in a decoder."""

    def __init__(self, side_px: int) -> None:
        self._grid = Grid(side_px, 0.5)

    @property
    def settings(self) -> dict[str, Any]:
        return {**self._grid.settings, "name": "crashing"}

    def __call__(self, source: ImageSource, tissue: Path | None = None) -> Instances:
        if source.path.stem == "crash":
            os._exit(11)
        return self._grid(source)


@final
class KilledOnce(Cut):
    """A grid; the first process that reads an image of the name `once` is killed half way.

    An image of the name `always` has no second chance.
    """

    def __init__(self, side_px: int, mark: Path) -> None:
        self._grid, self._mark = Grid(side_px, 0.5), mark

    @property
    def settings(self) -> dict[str, Any]:
        return self._grid.settings

    def __call__(self, source: ImageSource, tissue: Path | None = None) -> Instances:
        name = source.path.stem
        if name == "always" or (name == "once" and not self._mark.exists()):
            self._mark.touch()
            _die_after_the_first_batch()
        return self._grid(source)


def _die_after_the_first_batch() -> None:
    whole = Readable.batches

    def batches(readable: Readable) -> Any:
        yield next(whole(readable))
        os.kill(os.getpid(), signal.SIGKILL)

    # of this process, which does not live long
    Readable.batches = batches  # type: ignore[method-assign]
