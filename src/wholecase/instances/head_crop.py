"""Where the head lies in a series: one square for all slices, without table and air."""

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from wholecase.core.errors import NoTissueError
from wholecase.core.kinds import CT
from wholecase.instances.instances import Box
from wholecase.sources import ImageSource

COARSE_PX = 128
"""Longer side of the picture in which the head is looked for."""
SKIN = -300.0
"""HU above which there is no air."""
LIGHT = 0.12
"""Of white: what a picture with a baked window shows of the head at least."""
OPENED = 5
"""Pixels of the coarse picture: thinner things, such as a table's shell, are no head."""
MARGIN = 0.02
"""Of the head's longer side, added on every side."""
LEAST = 0.02
"""Share of a slice that its largest body fills, at least, to be one of the head."""


def head_box(source: ImageSource) -> Box:
    """The least square that holds the head on every slice, as far as it lies within the image.

    Of each slice the largest body counts once thin things are opened away; a slice without one
    says nothing.

    Raises:
        NoTissueError: no slice shows a body.
    """
    level = source.levels[0]
    bodies = np.zeros((1, 1), bool)
    for plane in range(len(source.planes_um)):
        pixels = source.read(0, 0, level.width_px, level.height_px, plane=plane)
        bodies = bodies | _body(_coarse(pixels, source.kind.name))
    if not bodies.any():
        raise NoTissueError(
            f"{source.path}: no slice shows a head to cut to; set cut.crop=none, or leave it out"
        )
    height, width = bodies.shape
    factor = max(level.width_px, level.height_px) / max(height, width)
    rows, columns = (np.flatnonzero(bodies.any(axis)) for axis in (1, 0))
    spans = [(float(s[0]) * factor, float(s[-1] + 1) * factor) for s in (columns, rows)]
    longest = int(np.ceil(max(end - begin for begin, end in spans) * (1 + 2 * MARGIN)))
    x, width_px = _within(spans[0], longest, level.width_px)
    y, height_px = _within(spans[1], longest, level.height_px)
    return x, y, width_px, height_px


def _within(span: tuple[float, float], length: int, most: int) -> tuple[int, int]:
    """Begin and length of what has a span in its middle, as far as the image goes."""
    length = min(length, most)
    begin = round((span[0] + span[1] - length) / 2)
    return min(max(begin, 0), most - length), length


def _coarse(pixels: np.ndarray, kind: str) -> Bool[np.ndarray, "h w"]:
    """What is no air, in a small picture."""
    grey = pixels.astype(np.float32).mean(2)
    shown = grey > SKIN if kind == CT.name else grey > LIGHT * np.iinfo(pixels.dtype).max
    height, width = shown.shape
    factor = min(1.0, COARSE_PX / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    share: Float32[np.ndarray, "h w"] = cv2.resize(
        shown.astype(np.float32), size, interpolation=cv2.INTER_AREA
    )
    return np.asarray(share > 0.5)


def _body(shown: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """The largest thing in it."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (OPENED, OPENED))
    opened: UInt8[np.ndarray, "h w"] = cv2.morphologyEx(
        shown.astype(np.uint8), cv2.MORPH_OPEN, kernel
    )
    _, labels, table, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    areas = table[1:, cv2.CC_STAT_AREA]
    if not len(areas) or areas.max() < LEAST * shown.size:
        return np.zeros_like(shown)
    return np.asarray(labels == 1 + areas.argmax())
