"""How a TIFF is laid out, by which its reader is chosen."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, cast

from tifffile import TiffFile, TiffPage

from wholecase.sources.damage import complaints
from wholecase.sources.pyramid import unpadded
from wholecase.sources.tiff_planes import is_colour_jpeg

Layout = Literal["layered", "jpeg", "tiles", "strips", "unknown"]
"""`layered`: levels, colours or bits lie where neither OpenSlide nor Pillow looks for them, or the
levels are filled up to whole tiles, which OpenSlide takes for their size, or it is a stack.
`jpeg`: levels page by page, of tiles in JPEG that are all stored."""


def layout_of(path: Path) -> Layout:
    """The layout of a TIFF of no vendor."""
    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        first, *others = cast("list[TiffPage]", list(file.pages))
        deep = first.is_tiled and first.bitspersample > 8
        layers = file.is_ome or first.subifds or deep
        if layers or _is_padded(first, others) or _is_stack(first, others):
            return "layered"
        if not first.is_tiled:
            return "strips"
        # OpenSlide takes pages for levels that say so
        levels = all(page.is_reduced for page in others if page.is_tiled)
        return "jpeg" if levels and _is_jpeg([first, *others]) else "tiles"
    return "unknown"


def is_deep(path: Path) -> bool:
    """Whether samples have more than 8 bits; OpenSlide takes the high byte, whatever it holds."""
    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        return bool(file.pages.first.bitspersample > 8)
    return False


def is_jpeg(path: Path) -> bool:
    """Whether all tiled pages, which are levels in a vendor's file, are stored tiles in JPEG."""
    with contextlib.suppress(Exception), complaints("tifffile"), TiffFile(path) as file:
        return _is_jpeg(cast("list[TiffPage]", list(file.pages)))
    return False


def _is_jpeg(pages: "Sequence[TiffPage]") -> bool:
    return pages[0].is_tiled and all(
        is_colour_jpeg(page)
        # what Aperio left out, OpenSlide draws from the next finer level
        and all(page.databytecounts)
        for page in pages
        if page.is_tiled
    )


def _is_padded(first: TiffPage, others: Sequence[TiffPage]) -> bool:
    first_px = first.imagewidth, first.imagelength
    return any(
        page.is_tiled
        and unpadded(
            (page.imagewidth, page.imagelength), first_px, (page.tilewidth, page.tilelength)
        )
        for page in others
    )


def _is_stack(first: TiffPage, others: Sequence[TiffPage]) -> bool:
    # OpenSlide takes the first of several pictures that are tiled, however large the others are
    return first.is_tiled and any(
        page.tags.valueof("NewSubfileType", 0) == 0
        and page.imagewidth >= first.imagewidth
        and page.imagelength >= first.imagelength
        for page in others
    )
