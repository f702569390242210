"""Pictures of one single value, which show nothing: an export went wrong."""

from collections.abc import Iterator

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.sources.region import BLOCK_PX
from wholecase.sources.source import ImageSource

GLANCE_PX, GLANCES = 16, 3
"""Side of the squares that are looked at first, and how many by how many of them."""


def refuse_one_value(source: ImageSource) -> None:
    """Pass an image whose coarsest level has more than one value; most need but a glance.

    Of several planes, the middle one: the first of a series may show air alone.

    Raises:
        SourceError: all its pixels are the same.
    """
    if why := one_value(source):
        raise SourceError(why)


def one_value(source: ImageSource) -> str | None:
    """What is said of an image of one single value; None where it has several.

    Nor is anything said where some of it cannot be decoded, or there is but one pixel.
    """
    number = len(source.levels) - 1
    level, plane = source.levels[number], len(source.planes_um) // 2
    first: np.ndarray | None = None
    for x, y, width, height in _boxes(level.width_px, level.height_px):
        try:
            corner = round(x * level.downsample), round(y * level.downsample)
            pixels = source.read(*corner, width, height, number, plane)
        except SourceError:
            return None
        first = pixels[0, 0] if first is None else first
        if (pixels != first).any():
            return None
    if first is None or level.width_px * level.height_px == 1:
        return None
    words = " ".join(str(value) for value in dict.fromkeys(first.tolist()))
    scale = source.kind.unit or f"of {np.iinfo(source.kind.dtype).max}"
    return (
        f"{source.path}: all its pixels have one value ({words} {scale}) and show nothing; export "
        f"it again or leave it out"
    )


def _boxes(width_px: int, height_px: int) -> Iterator[tuple[int, int, int, int]]:
    """Some small squares, then all of the level in blocks: x, y, width, height."""
    side = min(GLANCE_PX, width_px, height_px)
    for row in range(GLANCES):
        for column in range(GLANCES):
            x = (width_px - side) * column // (GLANCES - 1)
            yield x, (height_px - side) * row // (GLANCES - 1), side, side
    for y in range(0, height_px, BLOCK_PX):
        for x in range(0, width_px, BLOCK_PX):
            yield x, y, min(BLOCK_PX, width_px - x), min(BLOCK_PX, height_px - y)
