"""A pyramid whose levels are stored as tiles, anywhere on the level."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.sources.source import Level

CACHE_BYTES = 64 * 2**20
"""Decoded tiles that are kept, of all levels together."""
MOST_TILE_PX = 2**26
"""A stored tile of more pixels (192 MB) is not decoded: no region would be cheap to read."""


@dataclass(frozen=True)
class Mosaic:
    """Where the stored tiles of a level lie."""

    width_px: int
    height_px: int
    tile_px: tuple[int, int]
    """Width and height; tiles may hang over the edge of the level."""
    corners_px: Int64[np.ndarray, "F 2"]
    """Top left (x, y) of each stored tile on the level. What no tile covers is white."""

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.width_px, self.height_px

    def under(self, left: int, top: int, right: int, bottom: int) -> list[int]:
        """The tiles that meet a box of the level, in stored order."""
        x, y = self.corners_px.T
        width, height = self.tile_px
        meets = (x < right) & (x > left - width) & (y < bottom) & (y > top - height)
        found: list[int] = np.flatnonzero(meets).tolist()
        return found


def grid_of(size_px: tuple[int, int], tile_px: tuple[int, int]) -> tuple[int, int]:
    """How many tiles (columns, rows) cover a level.

    >>> grid_of((500, 300), (256, 256))
    (2, 2)
    """
    return -(-size_px[0] // tile_px[0]), -(-size_px[1] // tile_px[1])


def regular(size_px: tuple[int, int], tile_px: tuple[int, int]) -> Int64[np.ndarray, "F 2"]:
    """Corners of the tiles that cover a level row by row, from the top left.

    >>> regular((500, 300), (256, 256)).tolist()
    [[0, 0], [256, 0], [0, 256], [256, 256]]
    """
    x, y = (np.arange(0, size, tile) for size, tile in zip(size_px, tile_px, strict=True))
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.int64)


def levels_of(mosaics: Sequence[Mosaic]) -> tuple[Level, ...]:
    """The levels with their downsamples, the mean of both sides' as OpenSlide has it."""
    first = mosaics[0]
    return tuple(
        Level(
            m.width_px,
            m.height_px,
            (first.width_px / m.width_px + first.height_px / m.height_px) / 2,
        )
        for m in mosaics
    )


@final
class Painter:
    """Regions of a pyramid from its tiles, the last ones kept decoded."""

    def __init__(
        self,
        mosaics: Sequence[Mosaic],
        decode: Callable[[int, int], UInt8[np.ndarray, "h w 3"] | None],
    ) -> None:
        """`decode` gives a tile by level and number, None where the file left it out."""
        self.levels = levels_of(mosaics)
        self._mosaics = tuple(mosaics)
        largest = max(m.tile_px[0] * m.tile_px[1] * 3 for m in mosaics)
        self._tile = functools.lru_cache(max(1, CACHE_BYTES // largest))(decode)

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int
    ) -> UInt8[np.ndarray, "H W 3"]:
        """As `ImageSource.read`; the corner is rounded to a whole pixel of the level."""
        mosaic, factor = self._mosaics[level], self.levels[level].downsample
        left, top = round(x_px / factor), round(y_px / factor)
        region = np.full((height_px, width_px, 3), 255, np.uint8)
        right, bottom = (
            min(left + width_px, mosaic.width_px),
            min(top + height_px, mosaic.height_px),
        )
        for number in mosaic.under(max(left, 0), max(top, 0), right, bottom):
            tile = self._tile(level, number)
            if tile is not None:
                x, y = mosaic.corners_px[number].tolist()
                # what a tile holds beyond the level's edge is no part of the image
                inside = tile[: max(mosaic.height_px - y, 0), : max(mosaic.width_px - x, 0)]
                _lay(inside, region, x - left, y - top)
        return region

    def forget(self) -> None:
        """Free the tiles that are kept."""
        self._tile.cache_clear()


def _lay(
    tile: UInt8[np.ndarray, "h w 3"], region: UInt8[np.ndarray, "H W 3"], x: int, y: int
) -> None:
    left, right = max(x, 0), min(x + tile.shape[1], region.shape[1])
    top, bottom = max(y, 0), min(y + tile.shape[0], region.shape[0])
    if left < right and top < bottom:
        region[top:bottom, left:right] = tile[top - y : bottom - y, left - x : right - x]
