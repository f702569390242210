"""Many small pictures of one size in one `.npy` file: written in blocks, read by row.

The file is what `numpy.save` writes, so that other tools read it too. It may be larger than memory:
nothing of it is mapped or kept.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, final

import numpy as np
from jaxtyping import Int64, Integer, UInt8

from wholecase.core.closing import Closing
from wholecase.core.errors import StoreError
from wholecase.core.files import atomic
from wholecase.core.kinds import KINDS
from wholecase.core.pread import Records
from wholecase.core.progress import progress

TYPES = frozenset(kind.dtype for kind in KINDS.values())
"""What samples may be."""


@final
class Rows(Closing):
    """An open file of rows; use it as a context manager, or close it. It can be pickled."""

    def __init__(self, path: Path) -> None:
        """Read the head of a file.

        Raises:
            StoreError: there is none, or it is no array of samples, or shorter than its head says.
        """
        self.path = path
        self.shape, self.dtype, begin = _head(path)
        self._row_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
        self._begin = begin
        self._records = Records(path, self._row_bytes)

    def __len__(self) -> int:
        return self.shape[0]

    def read(self, rows: Int64[np.ndarray, " n"]) -> Integer[np.ndarray, "n ..."]:
        """The rows in the order asked, each as often as it is asked for.

        Raises:
            IndexError: a row is not in the file.
            StoreError: the file was cut off meanwhile.
            ValueError: the file is closed.
        """
        if len(rows) and not 0 <= rows.min() <= rows.max() < len(self):
            raise IndexError(f"{self.path} has rows 0 to {len(self) - 1}, not all that were asked")
        found = np.empty((len(rows), self._row_bytes), np.uint8)
        try:
            self._records.read(self._begin + rows * self._row_bytes, found)
        except (EOFError, OSError) as error:
            raise _damaged(self.path, error) from error
        return found.view(self.dtype).reshape(len(rows), *self.shape[1:])

    def close(self) -> None:
        """Give the file back; reading afterwards is a `ValueError`."""
        self._records.close()

    def __reduce__(self) -> tuple[type["Rows"], tuple[Path]]:
        return Rows, (self.path,)


def write_rows_in_blocks(
    path: Path,
    shape: tuple[int, ...],
    blocks: Iterable[UInt8[np.ndarray, "..."]],
    label: str = "writing",
) -> Path:
    """Write blocks of rows one behind another, whole or not at all; memory holds one block.

    Args:
        path: the file, by custom `.npy`.
        shape: of the whole, rows first.
        blocks: rows in order, as many at a time as suits.
        label: what the progress bar says.

    Raises:
        StoreError: the blocks are not of that shape together.
        OSError: the disk is full, or the file may not be written.
    """
    with atomic(path) as neighbour, neighbour.open("wb") as file:
        head = {"descr": "|u1", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, head)
        with progress(label, shape[0], "rows") as advance:
            written = 0
            for block in blocks:
                if block.shape[1:] != shape[1:] or written + len(block) > shape[0]:
                    raise StoreError(
                        f"{path}: rows {written} to {written + len(block)} of shape "
                        f"{block.shape[1:]} do not fit into {shape}; ask for the shape they have"
                    )
                file.write(np.ascontiguousarray(block).data)
                written += len(block)
                advance(len(block))
        if written != shape[0]:
            raise StoreError(f"{path}: {written} rows came and {shape[0]} were announced; give all")
    return path


def _head(path: Path) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape and type of the array in a file, and the byte it begins at."""
    if not path.is_file():
        raise StoreError(f"{path} does not exist; make it first")
    try:
        with path.open("rb") as file:
            shape, fortran, dtype = _read_head(file)
            begin = file.tell()
    except Exception as error:  # a damaged head leads its parser anywhere
        raise _damaged(path, error) from error
    if fortran or dtype.name not in TYPES or not shape:
        raise StoreError(
            f"{path} holds {dtype} of shape {shape}, not rows of pixels; make it again"
        )
    if min(shape) < 0 or path.stat().st_size < begin + math.prod(shape) * dtype.itemsize:
        raise _damaged(path, "it is shorter than its head says")
    return shape, dtype, begin


def _read_head(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(file)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if read is None:
        raise ValueError(f"numpy's format {version} is unknown")
    shape, fortran, dtype = read(file)
    return shape, fortran, dtype


def _damaged(path: Path, why: object) -> StoreError:
    return StoreError(f"{path} is damaged: {why}; delete it and make it again")
