"""The instances of an image that can be decoded: a damaged tile costs itself, up to a share."""

from collections.abc import Iterator
from typing import final

import numpy as np
from jaxtyping import Int64, Shaped

from wholecase.core.errors import SourceError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.instances import Instances, file_order, stream
from wholecase.sources import ImageSource

MOST_BATCH, BATCH_BYTES = 64, 16 * 2**20
"""A batch is bounded in memory, too: large instances come in smaller ones."""


@final
class Readable:
    """Reads the instances of one image and knows which were left out.

    Args:
        source: where an error does not spoil the next reading.
        instances: of that image.
        tolerated: share of them that may be undecodable.
    """

    def __init__(self, source: ImageSource, instances: Instances, tolerated: float) -> None:
        self._source, self._instances, self._tolerated = source, instances, tolerated
        self._skipped: list[tuple[int, SourceError]] = []

    @property
    def skipped(self) -> Int64[np.ndarray, " s"]:
        """Indices of the instances that could not be decoded."""
        return np.array(sorted(index for index, _ in self._skipped), np.int64)

    def batches(
        self,
    ) -> Iterator[tuple[Int64[np.ndarray, " n"], Shaped[np.ndarray, "n side side channels"]]]:
        """What `stream` yields, less the instances that cannot be decoded.

        Raises:
            SourceError: more are undecodable than tolerated.
        """
        order = file_order(self._source, self._instances)
        size = batch_size(self._instances.side_px, self._source.kind)
        for start in range(0, len(order), size):
            indices, pixels = self._read(order[start : start + size])
            if len(indices):
                yield indices, pixels

    def _read(
        self, indices: Int64[np.ndarray, " m"]
    ) -> tuple[Int64[np.ndarray, " n"], Shaped[np.ndarray, "n side side channels"]]:
        try:
            return indices, self._pixels(indices)
        except SourceError:
            pass
        # one of them is damaged: which, only reading them one by one can tell
        found: dict[int, np.ndarray] = {}
        for index in indices:
            try:
                found[int(index)] = self._pixels(np.array([index]))[0]
            except SourceError as error:
                self._skip(int(index), error)
        side, kind = self._instances.side_px, self._source.kind
        shape = -1, side, side, kind.channels
        pixels = np.array(list(found.values()), kind.dtype).reshape(shape)
        return np.array(list(found), np.int64), pixels

    def _pixels(
        self, indices: Int64[np.ndarray, " n"]
    ) -> Shaped[np.ndarray, "n side side channels"]:
        part = self._instances.only(indices)
        # already in the file's order, and few enough for one batch
        _, pixels = next(stream(self._source, part, batch=len(part)))
        return pixels

    def _skip(self, index: int, error: SourceError) -> None:
        self._skipped.append((index, error))
        count, total = len(self._skipped), len(self._instances)
        if count > self._tolerated * total:
            raise SourceError(
                f"{self._source.path}: at least {count} of {total} tiles cannot be decoded, above "
                f"the tolerated {100 * self._tolerated:g} %; the first: {self._skipped[0][1]}"
            ) from error


def batch_size(side_px: int, kind: PixelKind = RGB) -> int:
    """How many instances are read at a time.

    >>> batch_size(224), batch_size(1024), batch_size(8192)
    (64, 5, 1)
    """
    return max(1, min(MOST_BATCH, BATCH_BYTES // (kind.bytes_per_pixel * side_px**2)))
