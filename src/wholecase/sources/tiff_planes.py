"""Which pages of a TIFF hold the colours of a level."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int64, Shaped
from tifffile import COMPRESSION, PHOTOMETRIC, TiffFrame, TiffPage, TiffPageSeries

from wholecase.core.errors import SourceError
from wholecase.sources.jpeg import guessed, shared_of
from wholecase.sources.jpeg_tiles import colour_tile

Samples = Shaped[np.ndarray, "h w samples"]
Decode = Callable[[bytes, int], Samples]
"""Takes what is stored of a tile, and its number within the page."""
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
    decode: Decode


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
    decode = _decoder(key, page.jpegtables)
    return [
        Plane(offsets[at : at + tiles], counts[at : at + tiles], at, decode)
        for at in range(0, parts * tiles, tiles)
    ]


def _decoder(page: TiffPage, tables: bytes | None) -> Decode:
    # asked while the file is open: both look into it
    plain = partial(_by_tifffile, page.decode, tables)
    if page.compression == COMPRESSION.JPEG:
        plain = partial(_held_to_its_data, plain, tables)
    if not is_colour_jpeg(page):
        return plain
    rgb = page.photometric == PHOTOMETRIC.RGB
    tile = partial(colour_tile, tables=tables, size_px=(page.tilewidth, page.tilelength), rgb=rgb)
    return partial(_first_of, tile, plain)


def _first_of(
    tile: Callable[[bytes], Samples | None], plain: Decode, data: bytes, number: int
) -> Samples:
    pixels = tile(data)
    return plain(data, number) if pixels is None else pixels


def _held_to_its_data(plain: Decode, tables: bytes | None, data: bytes, number: int) -> Samples:
    if complaint := guessed(data[:2] + shared_of(tables) + data[2:]):
        raise ValueError(complaint)
    return plain(data, number)


def _by_tifffile(
    decode: Callable[..., Any], tables: bytes | None, data: bytes, number: int
) -> Samples:
    values, _, _ = decode(data, number, jpegtables=tables)
    samples: np.ndarray = values[0]  # of one section only
    return samples


def is_colour_jpeg(page: TiffPage) -> bool:
    """Whether the tiles of a page are JPEG of RGB or YCbCr in 8 bits, samples side by side."""
    return (
        page.is_tiled
        and page.compression == COMPRESSION.JPEG
        and (page.bitspersample, page.samplesperpixel, page.planarconfig) == (8, 3, 1)
        # what says that it is RGB and holds YCbCr, OpenSlide shows in other colours
        and (page.photometric == PHOTOMETRIC.YCBCR or _is_rgb(page))
    )


def _is_rgb(page: TiffPage) -> bool:
    return page.photometric == PHOTOMETRIC.RGB and not page.is_jfif
