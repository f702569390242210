"""The levels of a TIFF slide: where the stored tiles or strips of each lie."""

import math
from dataclasses import dataclass
from pathlib import Path

from tifffile import PHOTOMETRIC, TiffFile, TiffPage, TiffPageSeries

from wholecase.core.errors import SourceError
from wholecase.sources.damage import complaints
from wholecase.sources.deep import told_bits
from wholecase.sources.ladder import Rung
from wholecase.sources.mosaic import MOST_TILE_PX, Mosaic, belongs, grid_of, regular
from wholecase.sources.ome import other_files, power_rungs, size_rungs
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


def read_slide(path: Path) -> TiffSlide:
    """The structure of a file; its pixels are not touched. Damage may raise anything.

    Raises:
        SourceError: the file is cut off, spread over several files, or cannot be shown as RGB.
    """
    with complaints("tifffile", _DAMAGE) as heard, TiffFile(path) as file:
        xml = file.pages.first.description if file.is_ome else ""
        if xml and (others := other_files(xml)):
            raise SourceError(
                f"{path}: its planes lie in {len(others)} other files as well; convert it to one"
            )
        series = max(file.series, key=lambda one: math.prod(_size_px(one.keyframe)))
        size_px = _size_px(series.keyframe)
        rungs = _rungs(xml, series.keyframe)
        members = [one for one in series.levels if belongs(_size_px(one.keyframe), size_px)]
        levels = tuple(_level(path, one) for one in members)
    for level in levels:
        for plane in level.planes:
            if (plane.offsets + plane.counts).max() > path.stat().st_size:
                heard.append("tiles beyond its end")
    if heard:
        raise SourceError(f"{path}: damaged or cut off ({heard[0]}); fetch the file again")
    return TiffSlide(levels, tuple(rungs))


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


def _check(path: Path, page: TiffPage) -> None:
    known = page.photometric in (*_GREY, PHOTOMETRIC.RGB) or (
        page.photometric == PHOTOMETRIC.YCBCR and page.compression in _JPEG
    )
    if not known or page.dtype is None or page.dtype.name not in ("uint8", "uint16"):
        raise SourceError(
            f"{path}: pixels of {page.bitspersample} bits, {page.samplesperpixel} samples and "
            f"photometric {int(page.photometric)} are not shown as RGB; export 8-bit RGB"
        )
    width, height = _tile_px(page)
    if width * height > MOST_TILE_PX or page.imagedepth > 1:
        raise SourceError(
            f"{path}: stored in pieces of {width} x {height} px; convert it to a tiled TIFF"
        )


def _size_px(page: TiffPage) -> tuple[int, int]:
    return page.imagewidth, page.imagelength


def _tile_px(page: TiffPage) -> tuple[int, int]:
    if page.is_tiled:
        return page.tilewidth, page.tilelength
    return page.imagewidth, min(page.rowsperstrip, page.imagelength)


def _rungs(xml: str, page: TiffPage) -> list[Rung]:
    if not xml:
        return _tags(page)
    return [*size_rungs(xml, _size_px(page)), *_tags(page), *power_rungs(xml)]


def _tags(page: TiffPage) -> list[Rung]:
    unit_um = _UM_PER_UNIT.get(int(page.tags.valueof("ResolutionUnit", 2)))
    sides = [page.tags.valueof(name) for name in ("XResolution", "YResolution")]
    if unit_um is None or None in sides:
        return []
    x, y = (unit_um * below / above if above else 0.0 for above, below in sides)
    return [Rung("tiff tags", x, y)]
