"""What a picture must prove before it counts as a level of a pyramid: the same for every reader."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from wholecase.core.errors import SourceError
from wholecase.sources.region import resized
from wholecase.sources.source import Level

MOST_SKEW = 0.02
"""Two pictures whose sides shrink by factors this different are not levels of one pyramid."""
MOST_POWER = 16
"""No level is smaller than the first by more than this power of two."""
SPOT_PX, MOST_FINE_PX = 64, 1024
"""Side of the squares that are compared: on the coarser level, and at most on the finer one."""
POOLED = 8
"""Squares are compared at this many pixels a side: a shift by a pixel or two makes no odds."""
DETAILED, EVENLY = 6, 3
"""Squares where the level shows most, and a grid of so many by so many beside them."""
WHOLE_PX = 2**23
"""A level of up to so many pixels is read whole to find out where it shows most."""
NEAR, FLAT, LIKE = 10.0, 4.0, 0.7
"""Squares are the same that differ by this much (of 255) on average, or whose details go together
by this correlation; flat ones, of less deviation than this, have no details."""

Read = Callable[[int, int, int, int, int], UInt8[np.ndarray, "h w 3"]]
"""As `ImageSource.read`."""
Kept = tuple[tuple[int, tuple[int, int]], ...]
"""The levels that count: their numbers in the file, and their sizes without filling."""
Small = Float32[np.ndarray, "8 8 3"]


def belongs(size_px: tuple[int, int], first_px: tuple[int, int]) -> bool:
    """Whether a picture has the proportions of a level below the first; rounding is allowed for.

    >>> belongs((125, 88), (1000, 700)), belongs((125, 125), (1000, 700))
    (True, False)
    """
    across, down = first_px[0] / size_px[0], first_px[1] / size_px[1]
    return abs(across - down) <= (MOST_SKEW + 1 / min(size_px)) * max(across, down)


def unpadded(
    size_px: tuple[int, int], first_px: tuple[int, int], tile_px: tuple[int, int]
) -> tuple[int, int] | None:
    """The size of a level without what fills it up to whole tiles; None where nothing does.

    Such levels are smaller than the first by a power of two, and filled up by less than two tiles.

    >>> unpadded((1536, 1536), (4200, 4200), (256, 256)), unpadded((75, 50), (300, 200), (64, 64))
    ((1050, 1050), None)
    """
    if any(length % tile for length, tile in zip(size_px, tile_px, strict=True)):
        return None
    for power in range(1, MOST_POWER):
        size = max(1, first_px[0] >> power), max(1, first_px[1] >> power)
        over = size_px[0] - size[0], size_px[1] - size[1]
        # by a pixel, levels differ that are rounded otherwise
        filled = all(0 <= o < 2 * tile for o, tile in zip(over, tile_px, strict=True))
        if filled and max(over) > 1:
            return size
    return None


def confirmed(path: Path, levels: Sequence[Level], read: Read) -> tuple[int, ...]:
    """The levels that show what level 0 shows, itself included; each file is looked at once."""

    def look() -> tuple[tuple[int, tuple[int, int]], ...]:
        kept = [0]
        for number in range(1, len(levels)):
            if compared(levels, (kept[-1], number), read).same:
                kept.append(number)
        return tuple((n, (levels[n].width_px, levels[n].height_px)) for n in kept)

    return tuple(number for number, _ in remembered(path, "openslide", look))


def remembered(path: Path, reader: str, look: Callable[[], Kept]) -> Kept:
    """What a look at the levels of a file gave: a file is opened anew after each damaged region."""
    stamp = path.stat()
    known = _known(path, stamp.st_size, stamp.st_mtime_ns)
    if reader not in known:
        known[reader] = look()
    return known[reader]


@functools.lru_cache(2**12)
def _known(_path: Path, _size: int, _changed_ns: int) -> dict[str, Kept]:
    return {}


@dataclass(frozen=True)
class Compared:
    """Two levels of a pyramid beside each other."""

    places: int
    """Where they show anything; where nothing can be read or seen, nothing is said of it."""
    agree: int
    difference: float
    """Mean over all places, of 255."""

    @property
    def same(self) -> bool:
        """Whether most places agree."""
        return 2 * self.agree >= self.places


def compared(levels: Sequence[Level], pair: tuple[int, int], read: Read) -> Compared:
    """A finer and a coarser level where the coarser shows most, and evenly over it."""
    looks = [
        look
        for place in _places(levels, pair[1], read)
        if (look := _looked(levels, pair, place, read)) is not None
    ]
    judgements = [same for one, other in looks if (same := _alike(one, other)) is not None]
    differences = [float(np.abs(one - other).mean()) for one, other in looks]
    return Compared(len(judgements), sum(judgements), sum(differences) / max(len(looks), 1))


def _looked(
    levels: Sequence[Level], pair: tuple[int, int], place: tuple[float, float], read: Read
) -> tuple[Small, Small] | None:
    ratio = levels[pair[1]].downsample / levels[pair[0]].downsample
    side = max(1, min(SPOT_PX, int(MOST_FINE_PX / ratio)))
    first, coarse = levels[0], levels[pair[1]]
    reach = side * coarse.downsample
    x, y = (
        round(max(0.0, share * length - reach / 2))
        for share, length in zip(place, (first.width_px, first.height_px), strict=True)
    )
    fine_px = max(1, round(reach / levels[pair[0]].downsample))
    try:
        fine, other = read(x, y, fine_px, fine_px, pair[0]), read(x, y, side, side, pair[1])
    except SourceError:
        return None
    return _pooled(fine), _pooled(other)


def _pooled(pixels: UInt8[np.ndarray, "h w 3"]) -> Small:
    return resized(pixels, (POOLED, POOLED)).astype(np.float32)


def _alike(one: Small, other: Small) -> bool | None:
    near = float(np.abs(one - other).mean()) <= NEAR
    deviations = float(one.std()), float(other.std())
    if max(deviations) <= FLAT:
        return None if near else False
    if near or min(deviations) == 0:
        return near
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) >= LIKE


def _places(levels: Sequence[Level], number: int, read: Read) -> list[tuple[float, float]]:
    """Shares of width and height at which a level is looked at."""
    steps = [(i + 0.5) / EVENLY for i in range(EVENLY)]
    evenly = [(x, y) for y in steps for x in steps]
    level = levels[number]
    if level.width_px * level.height_px > WHOLE_PX:
        number = min(range(len(levels)), key=lambda i: levels[i].width_px * levels[i].height_px)
        level = levels[number]
    if level.width_px * level.height_px > WHOLE_PX:
        return evenly
    try:
        return _most_detailed(read(0, 0, level.width_px, level.height_px, number)) + evenly
    except SourceError:
        return evenly


def _most_detailed(pixels: UInt8[np.ndarray, "h w 3"]) -> list[tuple[float, float]]:
    height, width = pixels.shape[:2]
    cell = max(1.0, max(width, height) / 24)
    columns, rows = max(1, round(width / cell)), max(1, round(height / cell))
    grey = cv2.cvtColor(resized(pixels, (columns * 8, rows * 8)), cv2.COLOR_RGB2GRAY)
    detail = grey.reshape(rows, 8, columns, 8).std(axis=(1, 3))
    found = []
    for _ in range(DETAILED):
        row, column = np.unravel_index(detail.argmax(), detail.shape)
        found.append(((float(column) + 0.5) / columns, (float(row) + 0.5) / rows))
        # the next one lies elsewhere
        detail[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = -1
    return found
