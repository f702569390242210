"""Many pictures of one size in one HDF5 file, as benchmarks publish patches: `file.h5#17` is one.

The data set is `x`, [N, H, W, 3] of bytes. Where the file keeps rows as they are, they are read by
their position in it, several times faster than h5py does; else h5py unpacks what they lie in.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.core.closing import Closing
from wholecase.core.errors import SourceError
from wholecase.core.hdf5 import data_set, hdf5_damage, open_hdf5
from wholecase.core.pread import Records
from wholecase.sources.indexed_places import places_of

DATA_SET = "x"
PLACE = re.compile(r"(?P<file>.+\.(?:h5|hdf5)(?:\.gz)?)#(?P<row>[0-9]+)", re.IGNORECASE | re.DOTALL)
BLOCK = 512
"""About so many pictures are read at a time where a file is gone through: 14 MB of 96 x 96."""


def split_index(path: Path) -> tuple[Path, int] | None:
    """The file and the row that a path such as `file.h5#17` names; None for any other path.

    >>> split_index(Path("x.hdf5#17"))[1], split_index(Path("x.h5")), split_index(Path("x.png#1"))
    (17, None, None)
    """
    found = PLACE.fullmatch(str(path))
    return (Path(found["file"]), int(found["row"])) if found else None


def read_one(path: Path) -> UInt8[np.ndarray, "H W 3"]:
    """The picture that a path such as `file.h5#17` names.

    Raises:
        SourceError: the file or the row is not there, or cannot be read.
    """
    place = split_index(path)
    if place is None:
        raise SourceError(f"{path}: names no picture of an HDF5 file; write file.h5#17")
    with IndexedImages(place[0]) as images:
        return np.asarray(images.read(np.array([place[1]]))[0])


@final
class IndexedImages(Closing):
    """An open file of pictures; use it as a context manager, or close it. It can be pickled."""

    def __init__(self, path: Path) -> None:
        """Open a file.

        Raises:
            SourceError: there is none, it is packed or damaged, holds no pictures of bytes, or
                less of them than it claims.
        """
        self.path = path
        self._file = open_hdf5(path)
        try:
            with hdf5_damage(path):
                self._data = _pictures(path, self._file)
                self._places = places_of(self._data)
        except SourceError:
            self._file.close()
            raise
        self._records = Records(path, int(np.prod(self._data.shape[1:]))) if self._places else None
        self._count, self._tall = int(self._data.shape[0]), (self._data.chunks or (1,))[0]
        self.size_px: tuple[int, int] = (int(self._data.shape[2]), int(self._data.shape[1]))
        """Width and height of each picture."""

    def __len__(self) -> int:
        return self._count

    @property
    def side(self) -> int:
        """Pixels along each edge of the pictures.

        Raises:
            SourceError: they are not square.
        """
        width, height = self.size_px
        if width != height:
            raise SourceError(
                f"{self.path}: its pictures are {width} x {height} px and square ones are needed; "
                "cut them to a square"
            )
        return width

    def read(self, rows: Int64[np.ndarray, " n"]) -> UInt8[np.ndarray, "n H W 3"]:
        """The pictures in the order asked, each as often as it is asked for.

        Raises:
            SourceError: a row is not in the file, or cannot be decoded.
            ValueError: the file is closed.
        """
        if not self._file:
            raise ValueError(f"{self.path} is closed")
        wrong = rows[(rows < 0) | (rows >= self._count)]
        if len(wrong):
            raise SourceError(
                f"{self.path}#{wrong[0]}: there is no such picture; the file holds 0 to "
                f"{self._count - 1}, so correct the number behind #"
            )
        width, height = self.size_px
        found = np.empty((len(rows), height, width, 3), np.uint8)
        with hdf5_damage(self.path):
            if self._records and self._places:
                self._records.read(
                    self._places.of(rows), found.reshape(len(rows), height * width * 3)
                )
            else:
                self._unpack(rows, found)
        return found

    def blocks(self) -> Iterator[UInt8[np.ndarray, "n H W 3"]]:
        """All pictures in order, some hundreds at a time."""
        many = max(1, BLOCK // self._tall) * self._tall
        for start in range(0, self._count, many):
            yield self.read(np.arange(start, min(start + many, self._count)))

    def close(self) -> None:
        """Give the file back; reading afterwards is a `ValueError`."""
        self._file.close()
        if self._records:
            self._records.close()

    def _unpack(self, rows: Int64[np.ndarray, " n"], into: UInt8[np.ndarray, "n H W 3"]) -> None:
        """Each stored piece is unpacked once, however many of the rows lie in it."""
        order = np.argsort(rows, kind="stable")
        breaks = np.flatnonzero(np.diff(rows[order] // self._tall)) + 1
        for group in np.split(order, breaks) if len(order) else []:
            low, high = int(rows[group].min()), int(rows[group].max())
            into[group] = self._data[low : high + 1][rows[group] - low]

    def __reduce__(self) -> tuple[type["IndexedImages"], tuple[Path]]:
        return IndexedImages, (self.path,)


def _pictures(path: Path, file: Any) -> Any:  # noqa: ANN401 (h5py's types, which take 0.2 s)
    data = data_set(path, file, DATA_SET)
    if data.dtype != np.uint8 or data.ndim != 4 or data.shape[3] != 3 or 0 in data.shape:
        raise SourceError(
            f"{path}: its data set {DATA_SET!r} holds {data.dtype} of shape {data.shape}, and "
            "pictures are uint8 [N, height, width, 3]; write it so"
        )
    return data
