"""Which pages of a TIFF hold the colours of a level."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64
from tifffile import TiffFrame, TiffPage, TiffPageSeries

from wholecase.core.errors import SourceError

_SEPARATE = 2
"""Of the tag PlanarConfiguration: the tiles of all samples of one kind, then those of the next."""


@dataclass(frozen=True)
class Plane:
    """Where the tiles of one or all colours of a level lie, and what decodes them."""

    offsets: Int64[np.ndarray, " F"]
    counts: Int64[np.ndarray, " F"]
    """Bytes; 0 where the file left a tile out."""
    first: int
    """Number of the first of these tiles within its page."""
    tables: bytes | None
    """What the tiles of a JPEG share."""
    decode: Callable[..., Any]
    """`TiffPage.decode`."""


def planes_of(path: Path, level: TiffPageSeries, tiles: int) -> tuple[Plane, ...]:
    """The planes of a level of so many tiles; of several focal planes, the middle one.

    Raises:
        SourceError: pages are missing, or their colours are unknown.
    """
    page = level.keyframe
    outer = level.axes[: len(level.axes) - len(page.axes)]
    sizes = dict(zip(outer, level.shape, strict=False))
    channels = sizes.get("C", 1)
    as_rgb = page.samplesperpixel == 1 and page.bitspersample == 8
    if many := sizes.get("I", sizes.get("Q", 1)) - 1:
        raise SourceError(
            f"{path}: holds {many + 1} pictures of one size, and which one is the slide is not "
            f"told; save each in a file of its own"
        )
    if set(sizes) - set("CZ") or not (channels == 1 or (channels == 3 and as_rgb)):
        raise SourceError(
            f"{path}: {' x '.join(f'{n} {axis}' for axis, n in sizes.items())} planes of "
            f"{page.bitspersample} bits are no stained section in colour; export it as 8-bit RGB"
        )
    wanted = [{"C": c, "Z": sizes.get("Z", 1) // 2} for c in range(channels)]
    numbers = [_flat([one[axis] for axis in outer], list(sizes.values())) for one in wanted]
    pages = [level.pages[n] for n in numbers]
    return tuple(plane for one in pages for plane in _of_page(path, one, page, tiles))


def _flat(index: list[int], shape: list[int]) -> int:
    return int(np.ravel_multi_index(index, shape)) if shape else 0


def _of_page(
    path: Path, page: TiffPage | TiffFrame | None, key: TiffPage, tiles: int
) -> list[Plane]:
    # of the pages of a series, the first alone is read in full and speaks for the others
    parts = key.samplesperpixel if key.planarconfig == _SEPARATE else 1
    offsets = np.array(page.dataoffsets if page else (), np.int64)
    counts = np.array(page.databytecounts if page else (), np.int64)
    if page is None or not len(offsets) == len(counts) == parts * tiles:
        raise SourceError(
            f"{path}: damaged or cut off: stored {len(offsets)} tiles where {parts * tiles} "
            f"belong; fetch or export it again"
        )
    return [
        Plane(offsets[at : at + tiles], counts[at : at + tiles], at, page.jpegtables, key.decode)
        for at in range(0, parts * tiles, tiles)
    ]
