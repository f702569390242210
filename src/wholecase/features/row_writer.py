"""Rows of pixels into an `.npy` file whose length is known only at its end."""

import math
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import Integer

from wholecase.core.errors import StoreError

HEAD_BYTES = 128
"""Of an `.npy` file; any shape that occurs here fits."""


@final
class RowWriter:
    """An open file that grows by rows; its head is written when it is closed.

    Args:
        path: of the file; the caller sees to it that it is there whole or not at all.
        dtype: numpy's name of the samples.
    """

    def __init__(self, path: Path, dtype: str = "uint8") -> None:
        self._dtype = np.dtype(dtype)
        self._file = path.open("wb")
        self._file.write(b" " * HEAD_BYTES)
        self._row: tuple[int, ...] = ()
        self._count = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """Of all rows so far."""
        return (self._count, *self._row)

    def write(self, rows: Integer[np.ndarray, "n ..."]) -> None:
        """Append rows, all of one shape."""
        if not self._row:
            self._row = rows.shape[1:]
        if rows.shape[1:] != self._row or rows.dtype != self._dtype:
            raise StoreError(
                f"rows of {rows.dtype} {rows.shape[1:]} cannot join rows of {self._dtype} "
                f"{self._row}"
            )
        self._file.write(np.ascontiguousarray(rows).data)
        self._count += len(rows)

    def rewind(self, count: int) -> None:
        """Forget all rows but the first so many."""
        self._count = count
        self._file.seek(HEAD_BYTES + count * math.prod(self._row) * self._dtype.itemsize)
        self._file.truncate()

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(self, *_: object) -> None:
        descr = np.lib.format.dtype_to_descr(self._dtype)
        head = repr({"descr": descr, "fortran_order": False, "shape": self.shape})
        magic = b"\x93NUMPY\x01\x00" + (HEAD_BYTES - 10).to_bytes(2, "little")
        self._file.seek(0)
        self._file.write(magic + head.encode("latin1").ljust(HEAD_BYTES - 11) + b"\n")
        self._file.close()
