"""Records of equal size in a plain file, read by position: nothing is mapped, memory stays flat.

A memory map of the same file counts every page that was ever touched as the process's own; reading
by position leaves them to the system.
"""

import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Int64, UInt8


@final
class Records:
    """One open file; threads may share it, a fork as well."""

    def __init__(self, path: Path, record_bytes: int) -> None:
        self._file = path.open("rb", buffering=0)
        self._record_bytes = record_bytes
        self._turn = threading.Lock()

    def read(self, offsets: Int64[np.ndarray, " N"], into: UInt8[np.ndarray, "N R"]) -> None:
        """Fill row i of `into` with the record at byte `offsets[i]`; the disk is read in order.

        Raises:
            EOFError: a record lies behind the end of the file.
            OSError: the file cannot be read.
            ValueError: the file is closed.
        """
        order = np.argsort(offsets, kind="stable")
        follows = np.diff(offsets[order]) == self._record_bytes
        breaks = np.flatnonzero(~(follows & (np.diff(order) == 1))) + 1
        bounds = [0, *breaks.tolist(), len(order)] if len(order) else []
        # neighbours in the file that stay neighbours are read at once
        for start, stop in pairwise(bounds):
            first = int(order[start])
            self._fill(int(offsets[first]), into[first : first + stop - start].data)

    def _fill(self, offset: int, view: memoryview) -> None:
        left = view.cast("B")
        while len(left):
            done = self._some(offset, left)
            if not done:
                raise EOFError(f"the file ends before byte {offset + len(left)}")
            offset, left = offset + done, left[done:]

    def _some(self, offset: int, view: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._file.fileno(), [view], offset)
        with self._turn:  # Windows has no reading by position
            self._file.seek(offset)
            return self._file.readinto(view) or 0

    def close(self) -> None:
        """Give the file back; twice does no harm."""
        self._file.close()
