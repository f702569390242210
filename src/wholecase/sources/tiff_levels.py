"""The levels of a TIFF slide: where the stored tiles or strips of each lie."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tifffile import PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from wholecase.core.errors import SourceError
from wholecase.sources import aperio, ome
from wholecase.sources.claims import Claim, judged, not_read, refuse_large_tiles
from wholecase.sources.damage import complaints
from wholecase.sources.deep import told_bits
from wholecase.sources.mosaic import Mosaic, grid_of, regular
from wholecase.sources.pyramid import belongs, unpadded
from wholecase.sources.spacing_rungs import Rung
from wholecase.sources.tiff_planes import Plane, planes_of

_GREY = (PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MINISWHITE)
_JPEG = (6, 7, 33007, 34892)
"""Compressions whose decoder turns YCbCr into RGB."""
_DAMAGE = ("raised", "corrupted tag", "invalid page offset", "circular reference")
"""Words by which tifffile tells that it has lost pages or tags; it goes on with the others."""
_OPACITY = (1, 2)
"""Values of the tag ExtraSamples."""
_UM_PER_UNIT = {2: 25.4e3, 3: 1e4}
"""By the tag ResolutionUnit."""


@dataclass(frozen=True)
class TiffLevel:
    """One level of the pyramid."""

    mosaic: Mosaic
    planes: tuple[Plane, ...]
    """One with all samples, or one per colour."""
    samples: int
    """How many of a pixel's samples are shown: grey, RGB, or RGB and opacity."""
    bits: int | None
    """In use; None where nothing tells how many of 16."""
    deep: bool
    """Stored with more than 8 bits."""
    inverted: bool
    """0 is white."""


@dataclass(frozen=True)
class TiffSlide:
    """The largest image of a file, and where its spacing may be found."""

    levels: tuple[TiffLevel, ...]
    rungs: tuple[Rung, ...]
    notes: tuple[str, ...] = ()
    """Tiles that were left out, and pictures that are not read."""


def read_slide(path: Path) -> TiffSlide:
    """The structure of a file; its pixels are not touched. Damage may raise anything.

    Raises:
        SourceError: the file is cut off, spread over several files, or cannot be shown as RGB.
    """
    with complaints("tifffile", _DAMAGE) as heard, TiffFile(path) as file:
        xml = file.pages.first.description if file.is_ome else ""
        if xml and (others := ome.other_files(xml)):
            raise SourceError(
                f"{path}: its planes lie in {len(others)} other files as well; convert it to one"
            )
        series = max(file.series, key=lambda one: math.prod(_size_px(one.keyframe)))
        size_px = _size_px(series.keyframe)
        rungs = _rungs(xml, series.keyframe)
        levels = tuple(_level(path, one) for one in _members(file, series, size_px))
        # of Aperio it is known what lies beside the slide
        apart = [one.keyframe for one in file.series if one is not series and not file.is_svs]
        sparse = bool(file.is_philips)
    if heard:
        raise SourceError(f"{path}: damaged or cut off ({heard[0]}); fetch the file again")
    claims = [_claim(number, level, path.stat().st_size) for number, level in enumerate(levels)]
    notes = judged(path, claims, sparse=sparse)
    return TiffSlide(levels, tuple(rungs), notes + not_read("largest", size_px, apart))


def _members(
    file: TiffFile, first: TiffPageSeries, size_px: tuple[int, int]
) -> list[TiffPageSeries]:
    """The levels of a series, and those that tifffile sets apart; no thumbnail in one piece."""
    apart = [
        level
        for series in file.series
        if series is not first
        for level in series.levels
        if level.keyframe.is_tiled and (level.keyframe.is_reduced or file.is_svs)
    ]
    members = [
        one
        for one in (*first.levels, *apart)
        if _may_belong(one.keyframe, size_px) and one.keyframe.is_tiled >= first.keyframe.is_tiled
    ]
    return sorted(members, key=lambda one: -one.keyframe.imagewidth)


def _may_belong(page: TiffPage, first_px: tuple[int, int]) -> bool:
    size_px = _size_px(page)
    return belongs(size_px, first_px) or unpadded(size_px, first_px, _tile_px(page)) is not None


def _level(path: Path, level: TiffPageSeries) -> TiffLevel:
    page = level.keyframe
    _check(path, page)
    size_px, tile_px = _size_px(page), _tile_px(page)
    planes = planes_of(path, level, math.prod(grid_of(size_px, tile_px)))
    colours = 1 if page.photometric in _GREY and len(planes) == 1 else 3
    opacity = colours == 3 and bool(page.extrasamples) and page.extrasamples[0] in _OPACITY
    return TiffLevel(
        mosaic=Mosaic(*size_px, tile_px, regular(size_px, tile_px)),
        planes=planes,
        samples=colours + opacity,
        bits=told_bits(page),
        deep=page.bitspersample > 8,
        inverted=page.photometric == PHOTOMETRIC.MINISWHITE,
    )


def _claim(number: int, level: TiffLevel, file_bytes: int) -> Claim:
    planes = level.planes
    ends = np.max([np.where(plane.counts, plane.offsets + plane.counts, 0) for plane in planes], 0)
    there = np.all([plane.counts > 0 for plane in planes], axis=0)
    beyond = int((ends > file_bytes).sum())
    mosaic = level.mosaic
    return Claim(
        what=f"level {number}",
        size_px=(mosaic.width_px, mosaic.height_px),
        belong=len(there),
        listed=len(there),
        stored=int((there & (ends <= file_bytes)).sum()),
        beyond=beyond,
    )


def _check(path: Path, page: TiffPage) -> None:
    known = page.photometric in (*_GREY, PHOTOMETRIC.RGB) or (
        page.photometric == PHOTOMETRIC.YCBCR and page.compression in _JPEG
    )
    if not known or page.dtype is None or page.dtype.name not in ("uint8", "uint16"):
        raise SourceError(
            f"{path}: pixels of {page.bitspersample} bits, {page.samplesperpixel} samples and "
            f"photometric {int(page.photometric)} are not shown as RGB; export 8-bit RGB"
        )
    refuse_large_tiles(path, _tile_px(page))
    if page.imagedepth > 1:
        raise SourceError(f"{path}: a volume of {page.imagedepth} planes; export the one in focus")


def _size_px(page: TiffPage) -> tuple[int, int]:
    return page.imagewidth, page.imagelength


def _tile_px(page: TiffPage) -> tuple[int, int]:
    if page.is_tiled:
        return page.tilewidth, page.tilelength
    return page.imagewidth, min(page.rowsperstrip, page.imagelength)


def _rungs(xml: str, page: TiffPage) -> list[Rung]:
    said = page.description
    if xml:
        return [*ome.size_rungs(xml, _size_px(page)), *_tags(page), *ome.power_rungs(xml)]
    if aperio.is_aperio(said):
        return [*aperio.size_rungs(said), *_tags(page), *aperio.power_rungs(said)]
    return _tags(page)


def _tags(page: TiffPage) -> list[Rung]:
    unit_um = _UM_PER_UNIT.get(int(page.tags.valueof("ResolutionUnit", 2)))
    sides = [page.tags.valueof(name) for name in ("XResolution", "YResolution")]
    if unit_um is None or None in sides:
        return []
    x, y = (unit_um * below / above if above else 0.0 for above, below in sides)
    return [Rung("tiff tags", x, y)]
