"""Where in an HDF5 file the rows of a data set lie, if they lie there as they are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int64


@dataclass(frozen=True)
class Places:
    """Rows kept as they are, in one piece or in pieces of some rows each."""

    begins: Int64[np.ndarray, " pieces"]
    """The byte of the file at which each piece begins."""
    tall: int
    """Rows of a piece."""
    row_bytes: int

    def of(self, rows: Int64[np.ndarray, " n"]) -> Int64[np.ndarray, " n"]:
        """The byte at which each row begins."""
        return np.asarray(self.begins[rows // self.tall] + rows % self.tall * self.row_bytes)


def places_of(data: Any) -> Places | None:  # noqa: ANN401 (an h5py.Dataset)
    """The places of a data set's rows; None where h5py has to unpack or join them."""
    # addresses count from behind what another program put in front
    if data.file.userblock_size or _filters(data):
        return None
    row_bytes = int(np.prod(data.shape[1:], dtype=np.int64))
    if data.chunks is None:
        begin = data.id.get_offset()
        return None if begin is None else Places(np.array([begin]), int(data.shape[0]), row_bytes)
    if data.chunks[1:] != data.shape[1:]:
        return None
    begins = _pieces(data)
    return None if begins.min() < 0 else Places(begins, data.chunks[0], row_bytes)


def _filters(data: Any) -> int:  # noqa: ANN401
    return int(data.id.get_create_plist().get_nfilters())


def _pieces(data: Any) -> Int64[np.ndarray, " pieces"]:  # noqa: ANN401
    """Where each piece begins; -1 for one that was never written."""
    tall = data.chunks[0]
    begins = np.full(-(-data.shape[0] // tall), -1, np.int64)

    def note(piece: Any) -> None:  # noqa: ANN401
        begins[piece.chunk_offset[0] // tall] = piece.byte_offset

    data.id.chunk_iter(note)
    return begins
