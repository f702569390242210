"""The tissue that was found, to look at and to mend by hand."""

import cv2
import numpy as np
from jaxtyping import UInt8

from wholecase.core.geojson import write_polygons
from wholecase.instances.polygons import traced
from wholecase.instances.tissue import Tissue

COLOUR = (0, 170, 80)
"""No stain has it."""


def tissue_geojson(tissue: Tissue) -> str:
    """The outline as GeoJSON in level-0 pixels, which QuPath opens, edits and exports again."""
    return write_polygons(traced(tissue.mask, tissue.downsample), "Tissue", COLOUR)


def tissue_picture(tissue: Tissue, longest_px: int = 320) -> UInt8[np.ndarray, "h w 3"]:
    """The thumbnail with the outline drawn, its longer side `longest_px` or less."""
    height, width = tissue.mask.shape
    factor = min(1.0, longest_px / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    picture = cv2.resize(tissue.pixels, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(tissue.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(np.ascontiguousarray(picture), lines, -1, COLOUR, 1))
