"""A mask as polygons in the pixels of its image, and back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float64, Int32, UInt8

from wholecase.core.geojson import Polygon, Ring

FINER = 2
"""Lines are traced at this many times the resolution, where nothing is a single pixel wide."""
SIMPLER_PX = 0.5
"""Corners that lie closer than this to a straight line are left out, in pixels of the mask."""
SHARPER, SHIFT = 4, 4
"""Areas are filled at so many times the resolution, their corners kept to so many binary digits."""
FARTHEST_PX = 2**20
"""Corners beyond this are brought here: OpenCV counts in 32 bits."""


def traced(mask: Bool[np.ndarray, "H W"], downsample: float) -> tuple[Polygon, ...]:
    """The mask's areas with their holes, in level-0 pixels."""
    size = mask.shape[1] * FINER, mask.shape[0] * FINER
    fine = cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    lines, family = cv2.findContours(fine, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    holes: dict[int, list[Ring]] = defaultdict(list)
    for i, line in enumerate(lines):
        if family[0, i, 3] >= 0:
            holes[int(family[0, i, 3])].append(_ring(line, downsample))
    return tuple(
        Polygon(_ring(line, downsample), tuple(holes[i]))
        for i, line in enumerate(lines)
        if family[0, i, 3] < 0
    )


def filled(
    polygons: Iterable[Polygon], shape: tuple[int, int], downsample: float
) -> Bool[np.ndarray, "H W"]:
    """The mask of all areas together; a hole counts within its own area only.

    Args:
        polygons: in level-0 pixels.
        shape: rows and columns of the mask.
        downsample: level-0 pixels per pixel of the mask.
    """
    mask = np.zeros(shape, np.uint8)
    for polygon in polygons:
        rings = [
            np.array(ring, np.float64) / downsample for ring in (polygon.outer, *polygon.holes)
        ]
        left, top = np.clip(np.floor(rings[0].min(axis=0)), 0, shape[::-1]).astype(int).tolist()
        right, bottom = np.clip(np.ceil(rings[0].max(axis=0)), 0, shape[::-1]).astype(int).tolist()
        if left < right and top < bottom:
            window = mask[top:bottom, left:right]
            window |= _inside([ring - (left, top) for ring in rings], window.shape)
    return mask > 0


def _inside(
    rings: Sequence[Float64[np.ndarray, "_ 2"]], shape: tuple[int, ...]
) -> UInt8[np.ndarray, "h w"]:
    """1 where half of a pixel or more lies inside; OpenCV alone would add all that are touched."""
    height, width = shape
    fine = np.zeros((height * SHARPER, width * SHARPER), np.uint8)
    # OpenCV's whole numbers are the middles of pixels
    points = [np.clip(ring * SHARPER - 0.5, -FARTHEST_PX, FARTHEST_PX) for ring in rings]
    lines = [np.rint(ring * 2**SHIFT).astype(np.int32) for ring in points]
    cv2.fillPoly(fine, lines, 255, shift=SHIFT)  # even-odd: holes stay open
    small = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.threshold(small, 127, 1, cv2.THRESH_BINARY)[1])


def _ring(line: Int32[np.ndarray, "p 1 2"], downsample: float) -> Ring:
    simple = cv2.approxPolyDP(line, SIMPLER_PX * FINER, True)  # noqa: FBT003 (closed)
    corners = (simple if len(simple) >= 3 else line)[:, 0]
    # the middle of a fine pixel, in pixels of the mask, then of the image
    return tuple(
        (round(x, 2), round(y, 2)) for x, y in ((corners + 0.5) * (downsample / FINER)).tolist()
    )
