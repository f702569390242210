"""Slides that are being read: their picture and blocks as they come, from any number of workers."""

from collections.abc import Iterator, Sequence
from typing import final

import numpy as np

from wholecase.execution import Again, Outcome, Part, parallel_stream
from wholecase.execution.serve import Tool, attempt
from wholecase.sources import Thumbnail
from wholecase.triage.blocks import Block, windows
from wholecase.triage.sweep import Surveyed, sweep_blocks


@final
class SlideInWork:
    """A slide that is being read."""

    def __init__(self, surveyed: Surveyed) -> None:
        self.surveyed = surveyed
        rows, columns = surveyed.raster.shape
        self.grid = np.full(rows * columns, np.nan, np.float32)
        self.thumbnail: Thumbnail | None = None
        self.unlike = 0
        """Windows that are unlike the patches that were learnt from."""

    @property
    def judged(self) -> int:
        """The windows that have their answer."""
        return int(np.isfinite(self.grid).sum())

    def windows_of(
        self, part: Thumbnail | Block, batch: int
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """The windows of a block; the picture is put aside."""
        if isinstance(part, Thumbnail):
            self.thumbnail = part
        else:
            yield from windows(part, self.surveyed.raster, batch)


def read(
    surveyed: Sequence[Surveyed], workers: int
) -> Iterator[Part[Surveyed, Thumbnail | Block] | Again[Surveyed] | Outcome[Surveyed, None]]:
    """Of each slide its picture, its blocks and its end, read by workers or in this process."""
    if workers > 0 and surveyed:
        yield from parallel_stream(sweep_blocks, surveyed, workers=workers)
        return
    for one in surveyed:
        parts = sweep_blocks(one)
        while True:
            value, error = attempt(lambda parts: next(parts, None), parts, Tool(None))
            if value is None:
                yield Outcome(one, None, error)
                break
            yield Part(one, value)
