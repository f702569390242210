"""Cuts that do to their process what damaged files do; workers import them from here."""

import os
from pathlib import Path
from typing import Any, final

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
