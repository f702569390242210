"""Pictures as a series: the slices of a scan whose window is baked in."""

import re
from functools import lru_cache
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import SourceError
from wholecase.core.kinds import RGB
from wholecase.sources.ct.series_name import series_members
from wholecase.sources.plain import decode
from wholecase.sources.region import region_of
from wholecase.sources.source import Header, ImageSource, Level, Spacing

BAKED = "slices are pictures: their window is baked in, and their order is that of their names"


@final
class PictureSeries(ImageSource):
    """Pictures of one size in the natural order of their names (`s9` before `s10`).

    Args:
        path: the folder, or a lone picture.
        mpp: the manifest's spacing.
    """

    def __init__(self, path: Path, mpp: float | None) -> None:
        self._files: list[Path] | None = sorted(series_members(path), key=natural)
        self._decoded = lru_cache(4)(self._decode)
        height, width = decode(self._files[0])[0].shape[:2]
        self._size_px = width, height
        self.header = Header(
            path=path,
            levels=(Level(width, height, 1.0),),
            spacing=None if mpp is None else Spacing(mpp, "manifest"),
            spacing_note="" if mpp else "pictures tell no spacing",
            remarks=(BAKED,),
            planes_um=(float("nan"),) * len(self._files),
        )

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The region of a slice, on white."""
        if self._files is None:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        box_px = x_px, y_px, width_px, height_px
        return region_of(self._decoded(plane), box_px, RGB.outside)

    def close(self) -> None:
        """Forget what was decoded."""
        self._files = None
        self._decoded.cache_clear()

    def _decode(self, plane: int) -> UInt8[np.ndarray, "H W 3"]:
        assert self._files is not None  # noqa: S101 (`read` looked)
        file = self._files[plane]
        pixels = decode(file)[0]
        if pixels.shape[1::-1] != self._size_px:
            raise SourceError(
                f"{file}: of {pixels.shape[1]} x {pixels.shape[0]} px, and the first of its series "
                f"of {self._size_px[0]} x {self._size_px[1]}; keep pictures of one size in a folder"
            )
        return pixels


def natural(path: Path) -> list[tuple[int, str]]:
    """What names are sorted by, their numbers as numbers.

    >>> sorted([Path("s10.png"), Path("s9.png")], key=natural)[0].name
    's9.png'
    """
    pieces = re.split(r"(\d+)", path.as_posix())
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces]
