"""Slices of a series beside each other, from the first to the last."""

import numpy as np
from jaxtyping import UInt8

from wholecase.audit.look import Look
from wholecase.sources import as_picture, open_source, read_box

SLICES = 8
"""That are shown of a series."""
SLICE_PX = 110
"""Their longer side."""


def strip_of(look: Look) -> UInt8[np.ndarray, "H W 3"]:
    """Some slices of a series at equal distances, without the outermost.

    Raises:
        SourceError: one cannot be read.
    """
    image = look.image
    with open_source(image.path, image.kind, image.mpp, image.window) as source:
        level, count = source.levels[0], len(source.planes_um)
        scale = SLICE_PX / max(level.width_px, level.height_px)
        size_px = max(1, round(level.width_px * scale)), max(1, round(level.height_px * scale))
        box_px = 0, 0, level.width_px, level.height_px
        shown = min(SLICES, count)
        planes = [(2 * i + 1) * count // (2 * shown) for i in range(shown)]
        slices = [read_box(source, box_px, size_px, plane) for plane in planes]
        return np.hstack([as_picture(pixels, source.kind) for pixels in slices])
