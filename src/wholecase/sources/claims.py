"""What a file claims to hold against what it stores, before anything of it is decoded."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tifffile import TiffFile, TiffPage

from wholecase.core.errors import SourceError
from wholecase.sources.damage import complaints, damage
from wholecase.sources.mosaic import MOST_TILE_PX, grid_of

MOST_LEFT_OUT = 0.05
"""Share of the tiles of a level that a scanner may have lost: they are white, and told."""
LEAST_STORED = 0.01
"""Formats that leave bare glass out by design store at least this share of a level's tiles."""
SPARSE = ("philips",)
"""OpenSlide's names of TIFF formats that leave out bare glass by design."""
ANY_TIFF = "generic-tiff"
"""What OpenSlide calls a tiled TIFF of no vendor; it sees neither OME-XML nor SubIFDs."""
LEAST_MEANT = 0.1
"""Pictures with fewer pixels than this share of the slide's own are labels and the like."""
_SEPARATE = 2
"""Of the tag PlanarConfiguration: each colour has tiles of its own."""


@dataclass(frozen=True)
class Claim:
    """One level: how many tiles its size asks for, and how many the file has."""

    what: str
    """Which one it is, for messages."""
    size_px: tuple[int, int]
    belong: int
    listed: int
    """Tiles that the file has a place for, be it an empty one."""
    stored: int
    """Tiles of which there are bytes within the file."""
    beyond: int = 0
    """Tiles whose bytes would lie beyond its end."""


def judged(path: Path, claims: Sequence[Claim], *, sparse: bool) -> tuple[str, ...]:
    """Pass levels whose tiles are stored; what was left out and is borne is told.

    `sparse` is for formats that leave out bare glass by design.

    Raises:
        SourceError: tiles are missing, or more are listed than belong.
    """
    for claim in claims:
        missing = claim.belong - claim.stored
        borne = claim.belong * ((1 - LEAST_STORED) if sparse else MOST_LEFT_OUT)
        if claim.listed != claim.belong or claim.beyond or missing > borne:
            raise _unstored(path, claim)
    return tuple(
        f"{claim.what} left {claim.belong - claim.stored} of {claim.belong} tiles out; they are "
        f"white"
        for claim in claims
        if claim.stored < claim.belong
    )


def _unstored(path: Path, claim: Claim) -> SourceError:
    stored = claim.listed if claim.listed != claim.belong else claim.stored
    cause = "the file is cut off" if claim.beyond else "its tags are wrong, or tiles were lost"
    width, height = claim.size_px
    return SourceError(
        f"{path}: damaged or cut off: stored {stored} tiles where {claim.belong} belong "
        f"({claim.what}, {width} x {height} px): {cause}; fetch or export it again"
    )


def tiff_claims(path: Path, vendor: str | None) -> tuple[str, ...]:
    """Pass a TIFF of tiles that OpenSlide is to read; what is borne or not read is told.

    Of vendors it is known what lies beside the slide: thumbnail, label and macro.

    Raises:
        SourceError: tiles are missing or of a size that cannot be; the file is damaged.
    """
    stamp = path.stat()
    return _tiff_claims(path, vendor, stamp.st_size, stamp.st_mtime_ns)


@functools.lru_cache(2**12)  # a file is opened anew after every damaged region
def _tiff_claims(path: Path, vendor: str | None, size: int, _changed_ns: int) -> tuple[str, ...]:
    claims, pages = [], []
    with damage(f"{path}: damaged or unusual TIFF"), complaints("tifffile"), TiffFile(path) as file:
        for number, page in enumerate(file.pages):
            assert isinstance(page, TiffPage)  # noqa: S101 (frames come only when asked for)
            pages.append(page)
            if page.is_tiled:
                refuse_large_tiles(path, (page.tilewidth, page.tilelength))
                claims.append(_claim(f"page {number}", page, size))
    notes = judged(path, claims, sparse=vendor in SPARSE)
    if vendor != ANY_TIFF:
        return notes
    size_px = pages[0].imagewidth, pages[0].imagelength
    return notes + not_read("first", size_px, pages[1:])


def not_read(which: str, size_px: tuple[int, int], others: Sequence[TiffPage]) -> tuple[str, ...]:
    """What is said where others than the one of this size could be meant; labels are too small."""
    least = math.prod(size_px) * LEAST_MEANT
    count = sum(
        not page.is_reduced and page.imagewidth * page.imagelength >= least for page in others
    )
    return (f"the {which} of {count + 1} pictures is read",) if count else ()


def refuse_large_tiles(path: Path, tile_px: tuple[int, int]) -> None:
    """Pass a size that a stored tile can have.

    Raises:
        SourceError: no region would be cheap to read, and some libraries end the process.
    """
    width, height = tile_px
    if not 0 < width * height <= MOST_TILE_PX:
        raise SourceError(
            f"{path}: stored in pieces of {width} x {height} px; convert it to a tiled TIFF"
        )


def _claim(what: str, page: TiffPage, file_bytes: int) -> Claim:
    size_px = page.imagewidth, page.imagelength
    planes = page.samplesperpixel if page.planarconfig == _SEPARATE else 1
    depth = -(-page.imagedepth // page.tiledepth)
    offsets = np.array(page.dataoffsets, np.int64)
    counts = np.array(page.databytecounts, np.int64)
    listed = min(len(offsets), len(counts))
    ends = offsets[:listed] + counts[:listed]
    there = counts[:listed] > 0
    beyond = int((there & (ends > file_bytes)).sum())
    return Claim(
        what=what,
        size_px=size_px,
        belong=math.prod(grid_of(size_px, (page.tilewidth, page.tilelength))) * planes * depth,
        listed=listed,
        stored=int(there.sum()) - beyond,
        beyond=beyond,
    )
