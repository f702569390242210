"""A pyramid whose levels are stored as tiles, anywhere on the level."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.sources.source import Level

CACHE_BYTES, SMALL_BYTES = 64 * 2**20, 16 * 2**20
"""Decoded tiles that are kept, of all levels together: at most, and where this is enough."""
MOST_COLUMNS = 32
"""A slide is read in upright bands of so many tiles at most: two rows of a band stay decoded, as
regions that lie on both of them need, and memory that is never used costs no time to get."""
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

    @functools.cached_property
    def columns(self) -> int | None:
        """How many tiles lie in a row, where they cover all of the level row by row; else None."""
        grid = regular(self.size_px, self.tile_px)
        return (
            grid_of(self.size_px, self.tile_px)[0]
            if np.array_equal(grid, self.corners_px)
            else None
        )

    def under(self, left: int, top: int, right: int, bottom: int) -> list[tuple[int, int, int]]:
        """The tiles that meet a box within the level, in stored order: number, and x, y."""
        width, height = self.tile_px
        if (columns := self.columns) is not None:
            across = range(left // width, -(-right // width))
            rows = range(top // height, -(-bottom // height))
            return [
                (row * columns + column, column * width, row * height)
                for row in rows
                for column in across
            ]
        x, y = self.corners_px.T
        meets = (x < right) & (x > left - width) & (y < bottom) & (y > top - height)
        return [(n, *self.corners_px[n].tolist()) for n in np.flatnonzero(meets).tolist()]


def band_columns(tile_px: tuple[int, int]) -> int:
    """How many columns of stored tiles are read row by row before the next ones.

    >>> band_columns((256, 256)), band_columns((1024, 1024)), band_columns((8192, 8192))
    (32, 9, 1)
    """
    return max(1, min(MOST_COLUMNS, CACHE_BYTES // _bytes_of(tile_px) // 2 - 1))


def _kept(tile_px: tuple[int, int]) -> int:
    # two rows of a band, and what hangs over at their ends
    enough = max(2 * MOST_COLUMNS + 16, SMALL_BYTES // _bytes_of(tile_px))
    return max(1, min(enough, CACHE_BYTES // _bytes_of(tile_px)))


def _bytes_of(tile_px: tuple[int, int]) -> int:
    return tile_px[0] * tile_px[1] * 3


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
        largest = max((m.tile_px for m in mosaics), key=_bytes_of)
        self._tile = functools.lru_cache(_kept(largest))(decode)

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int
    ) -> UInt8[np.ndarray, "H W 3"]:
        """As `ImageSource.read`."""
        region = np.empty((height_px, width_px, 3), np.uint8)
        self.paint(region, x_px, y_px, level)
        return region

    def paint(self, place: UInt8[np.ndarray, "H W 3"], x_px: int, y_px: int, level: int) -> None:
        """As `ImageSource.read_into`; the corner is rounded to a whole pixel of the level."""
        mosaic, factor = self._mosaics[level], self.levels[level].downsample
        left, top = round(x_px / factor), round(y_px / factor)
        right, bottom = left + place.shape[1], top + place.shape[0]
        inside = left >= 0 and top >= 0 and right <= mosaic.width_px and bottom <= mosaic.height_px
        # where tiles will cover all of it, there is nothing to paint below them
        if not inside or mosaic.columns is None:
            place.fill(255)
        # what a tile holds beyond the level's edge is no part of the image
        right, bottom = min(right, mosaic.width_px), min(bottom, mosaic.height_px)
        within = place[: max(bottom - top, 0), : max(right - left, 0)]
        for number, x, y in mosaic.under(max(left, 0), max(top, 0), right, bottom):
            tile = self._tile(level, number)
            if tile is None:
                tile = np.broadcast_to(np.uint8(255), (*mosaic.tile_px[::-1], 3))
            _lay(tile, within, x - left, y - top)

    def forget(self) -> None:
        """Free the tiles that are kept."""
        self._tile.cache_clear()


def _lay(
    tile: UInt8[np.ndarray, "h w 3"], region: UInt8[np.ndarray, "H W 3"], x: int, y: int
) -> None:
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + tile.shape[1], region.shape[1]), min(y + tile.shape[0], region.shape[0])
    if left < right and top < bottom:
        region[top:bottom, left:right] = tile[top - y : bottom - y, left - x : right - x]
