"""Pictures of instances, as they were cut."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import SourceError
from wholecase.explain import TILE_PX, Evidence
from wholecase.sources import ImageSource, as_picture, read_box


def read_tiles(
    source: ImageSource,
    evidence: Evidence,
    wanted: Sequence[int],
    *,
    side_px: int = TILE_PX,
    shades: tuple[float, float] | None = None,
) -> dict[int, UInt8[np.ndarray, "_ _ 3"]]:
    """Pictures of instances of an open image, by index; one that cannot be read is missing."""
    tiles = {}
    for index in wanted:
        x, y, width, height = evidence.box_px[index].tolist()
        plane = 0 if evidence.plane is None else int(evidence.plane[index])
        try:
            pixels = read_box(source, (x, y, width, height), (side_px, side_px), plane)
            tiles[index] = as_picture(pixels, source.kind, shades)
        except SourceError:
            continue
    return tiles
