"""An image that is read with patience: what fails once is tried again with a new handle."""

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar, final

import numpy as np
from jaxtyping import Shaped

from wholecase.core.errors import SourceError
from wholecase.sources import ImageSource

Result = TypeVar("Result")


class UndecodableError(SourceError):
    """A region could not be read, with a new handle neither."""


@final
class RetryingSource(ImageSource):
    """An image opened as often as it takes; also the clock of its reading.

    Decoders latch their errors, and network disks have theirs: neither says that the next region,
    or the same one a moment later, cannot be read.

    Args:
        opened: opens the image.

    Raises:
        SourceError: it cannot be opened.
    """

    def __init__(self, opened: Callable[[], ImageSource]) -> None:
        self._opened = opened
        self._source: ImageSource = opened()
        self.header = self._source.header
        self.seconds = 0.0
        """What reading took so far: waiting for the disk, and decoding."""

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> Shaped[np.ndarray, "H W channels"]:
        """The region, at the second attempt if need be.

        Raises:
            UndecodableError: it cannot be had.
        """
        box = x_px, y_px, width_px, height_px, level, plane
        return self._twice(lambda source: source.read(*box))

    def read_into(
        self,
        place: Shaped[np.ndarray, "H W channels"],
        x_px: int,
        y_px: int,
        level: int = 0,
        plane: int = 0,
    ) -> None:
        """The same, into its place.

        Raises:
            UndecodableError: it cannot be had.
        """
        self._twice(lambda source: source.read_into(place, x_px, y_px, level, plane))

    def close(self) -> None:
        """Close the handle."""
        self._source.close()

    def _twice(self, read: Callable[[ImageSource], Result]) -> Result:
        started = time.perf_counter()
        try:
            return read(self._source)
        except SourceError:
            return self._anew(read)
        finally:
            self.seconds += time.perf_counter() - started

    def _anew(self, read: Callable[[ImageSource], Result]) -> Result:
        try:
            self._reopen()
            return read(self._source)
        except SourceError as error:
            # the next region, which may be whole, shall not suffer
            with contextlib.suppress(SourceError):
                self._reopen()
            raise UndecodableError(str(error)) from error

    def _reopen(self) -> None:
        # opened first: where that fails, too, the old one is still there to be closed
        fresh = self._opened()
        self._source.close()
        self._source = fresh
