"""Equal pixels of an image go through the encoder once, and every bit stays what it was."""

from collections.abc import Callable
from typing import final

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from wholecase.core.picture_digests import picture_digests


@final
class EncodedOnce:
    """Fills the rows of a bag; a tile that was seen before takes the vector of the first like it.

    The last bits of a network's vector depend on how many pictures it is given at once, though not
    on which. So pictures are always given as many at a time as they were read: those that are new
    wait until they are as many, and the last batch, which is smaller, goes as it is.

    Args:
        encode: pixels to vectors.
        size: instances of a whole batch.
        values: what is filled, a row for each instance.
    """

    def __init__(
        self,
        encode: Callable[[np.ndarray], np.ndarray],
        size: int,
        values: Float32[np.ndarray, "N D"],
    ) -> None:
        self._encode, self._size, self.values = encode, size, values
        self._first: dict[str, int] = {}
        self._waiting: list[tuple[int, np.ndarray]] = []
        self._copies: list[tuple[int, int]] = []

    @property
    def repeated(self) -> int:
        """Instances that took the vector of another."""
        return len(self._copies)

    def take(
        self, indices: Int64[np.ndarray, " n"], pixels: UInt8[np.ndarray, "n side side 3"]
    ) -> None:
        """Encode what is new of a batch, or let it wait."""
        if len(indices) != self._size:
            self.values[indices] = self._encode(pixels)
            return
        named = list(zip(indices.tolist(), picture_digests(pixels), strict=True))
        fresh = [row for row, (index, name) in enumerate(named) if self._is_first(index, name)]
        if len(fresh) == self._size and not self._waiting:
            self.values[indices] = self._encode(pixels)
            return
        # copies: a view would keep its whole batch
        self._waiting += [(named[row][0], pixels[row].copy()) for row in fresh]
        if len(self._waiting) >= self._size:
            self._encode_waiting()

    def finish(self) -> None:
        """Encode what waits, filled up with its last picture, and copy what is repeated."""
        if self._waiting:
            self._encode_waiting()
        if self._copies:
            copies, firsts = np.array(self._copies, np.int64).T
            self.values[copies] = self.values[firsts]

    def _is_first(self, index: int, name: str) -> bool:
        first = self._first.setdefault(name, index)
        if first != index:
            self._copies.append((index, first))
        return first == index

    def _encode_waiting(self) -> None:
        batch, self._waiting = self._waiting[: self._size], self._waiting[self._size :]
        full = batch + batch[-1:] * (self._size - len(batch))
        vectors = self._encode(np.stack([tile for _, tile in full]))
        self.values[[index for index, _ in batch]] = vectors[: len(batch)]
