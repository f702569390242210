"""Any box of an image at any size, in bounded memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from jaxtyping import Shaped

from wholecase.sources.source import ImageSource, Level

ABOUT_EQUAL = 0.01
"""A level coarser than asked by up to this share is as good as the one asked for."""
BLOCK_PX = 2048
"""Side of the largest piece that is read at once: 16 MB, and few stored tiles are decoded twice."""


@dataclass(frozen=True)
class Thumbnail:
    """The whole image, small."""

    pixels: Shaped[np.ndarray, "H W channels"]
    """Of the image's kind."""
    downsample: float
    """How many level-0 pixels one pixel spans."""


def region_of(
    pixels: Shaped[np.ndarray, "H W channels"],
    box_px: tuple[int, int, int, int],
    outside: int,
) -> Shaped[np.ndarray, "h w channels"]:
    """A copy of x, y, width, height of pixels that are at hand; `outside` lies beyond them."""
    x, y, width, height = box_px
    region = np.full((height, width, pixels.shape[2]), outside, pixels.dtype)
    left, right = max(x, 0), min(x + width, pixels.shape[1])
    top, bottom = max(y, 0), min(y + height, pixels.shape[0])
    if left < right and top < bottom:
        region[top - y : bottom - y, left - x : right - x] = pixels[top:bottom, left:right]
    return region


def thumbnail(source: ImageSource, longest_px: int) -> Thumbnail:
    """The whole image with its longer side at `longest_px`, or as large as it is where smaller.

    Of several planes, the middle one.
    """
    width, height = source.levels[0].width_px, source.levels[0].height_px
    downsample = max(1.0, max(width, height) / longest_px)
    size_px = max(1, round(width / downsample)), max(1, round(height / downsample))
    middle = len(source.planes_um) // 2
    return Thumbnail(read_box(source, (0, 0, width, height), size_px, middle), downsample)


def level_for(levels: Sequence[Level], downsample: float) -> int:
    """The coarsest level that is no coarser than asked, by 1 % at most; else the finest.

    >>> level_for([Level(8, 8, 1.0), Level(4, 4, 2.0), Level(1, 1, 8.0)], 4.0)
    1
    """
    most = downsample * (1 + ABOUT_EQUAL)
    for index in range(len(levels) - 1, 0, -1):
        if levels[index].downsample <= most:
            return index
    return 0


def read_box(
    source: ImageSource, box_px: tuple[int, int, int, int], size_px: tuple[int, int], plane: int = 0
) -> Shaped[np.ndarray, "H W channels"]:
    """A box of level-0 pixels (x, y, width, height) delivered as `size_px` (width, height) pixels.

    Read from the nearest finer level, averaged by area downwards, interpolated upwards. A box that
    is large on its level is read in blocks; their seams shift by half a pixel of the level at most.

    Raises:
        SourceError: a part cannot be decoded.
    """
    pixels = np.empty((size_px[1], size_px[0], source.kind.channels), source.kind.dtype)
    read_box_into(pixels, source, box_px, plane)
    return pixels


def read_box_into(
    place: Shaped[np.ndarray, "H W channels"],
    source: ImageSource,
    box_px: tuple[int, int, int, int],
    plane: int = 0,
) -> None:
    """The same into a place of the delivered size; what a level stores is not copied twice.

    Raises:
        SourceError: a part cannot be decoded.
    """
    x, y, width, height = box_px
    size_px = place.shape[1], place.shape[0]
    index = level_for(source.levels, min(width / size_px[0], height / size_px[1]))
    factor = source.levels[index].downsample
    stored_px = max(1, round(width / factor)), max(1, round(height / factor))
    if stored_px == size_px and max(size_px) <= BLOCK_PX:
        source.read_into(place, x, y, index, plane)
        return
    columns, rows = (_pieces(*both) for both in zip(stored_px, size_px, strict=True))
    for row in rows:
        for column in columns:
            left, top = x + round(column.start * factor), y + round(row.start * factor)
            block = source.read(left, top, column.length, row.length, index, plane)
            small = resized(block, (column.to - column.at, row.to - row.at))
            place[row.at : row.to, column.at : column.to] = small


def resized(
    pixels: Shaped[np.ndarray, "H W channels"], size_px: tuple[int, int]
) -> Shaped[np.ndarray, "h w channels"]:
    """Pixels at another size (width, height): an axis that shrinks is averaged by area.

    Samples stay of their type, and within what was there.
    """
    height, width, channels = pixels.shape
    shrunk = min(width, size_px[0]), min(height, size_px[1])
    if shrunk != (width, height):
        pixels = cv2.resize(pixels, shrunk, interpolation=cv2.INTER_AREA)
    if shrunk != size_px:
        pixels = cv2.resize(pixels, size_px, interpolation=cv2.INTER_LINEAR)
    return pixels.reshape(size_px[1], size_px[0], channels)  # OpenCV drops a single channel


@dataclass(frozen=True)
class _Piece:
    start: int  # on the level
    length: int
    at: int  # in the result, up to `to`
    to: int


def _pieces(length: int, result: int) -> list[_Piece]:
    count = min(-(-length // BLOCK_PX), result)
    ends = [round(i * result / count) for i in range(count + 1)]
    return [
        _Piece(start := round(a * length / result), round(b * length / result) - start, a, b)
        for a, b in pairwise(ends)
    ]
