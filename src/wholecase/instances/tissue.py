"""Where the tissue of a slide lies: found by a segmenter, or read from an outline."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, UInt8

from wholecase.core.errors import RecipeError, SourceError
from wholecase.core.geojson import read_polygons
from wholecase.core.kinds import RGB
from wholecase.core.lookup import check_options, look_up, nearest, options_of
from wholecase.core.table import Table
from wholecase.instances.classical import Classical
from wholecase.instances.otsu import Otsu
from wholecase.instances.polygons import filled
from wholecase.instances.segmenter import Segmenter
from wholecase.sources import ImageSource, Thumbnail, thumbnail

WORKING_SPACING_UM = 8.0
"""Coarse enough that nuclei blur into tissue, fine enough for a needle core."""
LONGEST_PX = 4096
"""The mask of a very large slide is coarser instead of larger."""

TISSUES: Table[type[Segmenter]] = Table(
    "tissue",
    {
        "classical": Classical,
        "otsu": Otsu,
    },
    Segmenter,
)


@dataclass(frozen=True)
class Tissue:
    """The tissue of one slide, over its thumbnail."""

    mask: Bool[np.ndarray, "H W"]
    pixels: UInt8[np.ndarray, "H W 3"]
    downsample: float
    """Level-0 pixels per pixel of the mask."""
    spacing_um: float
    """µm per pixel of the mask."""


def segmenter_of(options: Mapping[str, Any]) -> Segmenter:
    """The segmenter called `name`, made with the other options.

    Raises:
        RecipeError: the name or an option is missing or unknown, or its value cannot be.
    """
    if "name" not in options:
        raise RecipeError("cut.tissue needs the option 'name'; add it to the recipe")
    kind = look_up(TISSUES, options["name"], "tissue mask")
    rest = {key: value for key, value in options.items() if key != "name"}
    known = options_of(kind)
    for option in rest:
        if option not in known:
            # `least` is the grid's own
            raise RecipeError(
                f"cut.tissue of name {options['name']!r} has no option {option!r}"
                f"{nearest(option, [*known, 'least'])}"
            )
    check_options(kind, rest, f"cut.tissue of name {options['name']!r}", ())
    return kind(**rest)


def find_tissue(source: ImageSource, spacing_um: float, segmenter: Segmenter) -> Tissue:
    """The tissue as a segmenter sees it; the mask may be empty.

    Raises:
        SourceError: the thumbnail cannot be decoded.
    """
    small = _working(source, spacing_um)
    mask = segmenter(small.pixels, spacing_um * small.downsample)
    return Tissue(mask, small.pixels, small.downsample, spacing_um * small.downsample)


def read_tissue(source: ImageSource, spacing_um: float, outline: Path) -> Tissue:
    """The tissue as somebody has outlined it, in GeoJSON of level-0 pixels.

    Raises:
        SourceError: the outline is missing or no GeoJSON of areas, or the thumbnail damaged.
    """
    polygons = read_polygons(outline)
    small = _working(source, spacing_um)
    mask = filled(polygons, small.pixels.shape[:2], small.downsample)
    return Tissue(mask, small.pixels, small.downsample, spacing_um * small.downsample)


def _working(source: ImageSource, spacing_um: float) -> Thumbnail:
    if source.kind != RGB:
        raise SourceError(
            f"{source.path}: holds {source.kind.name} pixels, and tissue is looked for in colour; "
            f"set cut.tissue=null, and leave the manifest's column tissue empty"
        )
    longest_px = max(source.levels[0].width_px, source.levels[0].height_px)
    coarse_px = math.ceil(longest_px * spacing_um / WORKING_SPACING_UM)
    return thumbnail(source, min(LONGEST_PX, coarse_px))
