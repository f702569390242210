"""The tissue that was found, to look at and to mend by hand."""

import cv2
import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.core.geojson import write_polygons
from wholecase.instances.polygons import traced
from wholecase.instances.tissue import Tissue

COLOUR = (0, 170, 80)
READ = (20, 60, 200)
"""No stain has them."""


def tissue_geojson(tissue: Tissue) -> str:
    """The outline as GeoJSON in level-0 pixels, which QuPath opens, edits and exports again."""
    return write_polygons(traced(tissue.mask, tissue.downsample), "Tissue", COLOUR)


def tissue_picture(
    tissue: Tissue, longest_px: int = 320, read_px: Int64[np.ndarray, "N 4"] | None = None
) -> UInt8[np.ndarray, "h w 3"]:
    """The thumbnail with the outline drawn, its longer side `longest_px` or less.

    Args:
        tissue: with its thumbnail.
        longest_px: of the picture.
        read_px: boxes in level-0 pixels that alone were read, where these are not all; framed.
    """
    height, width = tissue.mask.shape
    factor = min(1.0, longest_px / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    picture = cv2.resize(tissue.pixels, size, interpolation=cv2.INTER_AREA)
    mask = cv2.resize(tissue.mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    lines, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    drawn = cv2.drawContours(np.ascontiguousarray(picture), lines, -1, COLOUR, 1)
    if read_px is not None:
        corners = np.stack([read_px[:, :2], read_px[:, :2] + read_px[:, 2:]], 1)
        for (left, top), (right, bottom) in np.rint(corners * factor / tissue.downsample).astype(
            int
        ):
            cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), READ, 1)
    return np.asarray(drawn)
