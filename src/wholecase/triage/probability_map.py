"""A probability per cell as colours over the slide, on one scale for all slides: 0 to 1."""

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from wholecase.explain.colours import colours
from wholecase.explain.legend import legend, row, text, widened
from wholecase.triage.regions import COLOUR

OPACITY = 0.6
ROOMY_PX = 12
"""Cells larger than this have room for an outline of two pixels."""


def paint_probabilities(  # noqa: PLR0913 (what defines the picture, and two of its legend)
    thumbnail: UInt8[np.ndarray, "H W 3"],
    downsample: float,
    grid: Float[np.ndarray, "rows columns"],
    step_px: float,
    *,
    threshold: float,
    name: str,
    spacing_um: float,
    opacity: float = OPACITY,
) -> UInt8[np.ndarray, "h w 3"]:
    """The thumbnail in grey, judged cells in colour, regions outlined, with a legend below.

    Args:
        thumbnail: the whole image; it lies at the top left of the result, unchanged in size.
        downsample: level-0 pixels per pixel of the thumbnail.
        grid: the probability of each cell, nan where nothing was judged.
        step_px: side of a cell in level-0 pixels.
        threshold: cells above it are outlined.
        name: of what is probable.
        spacing_um: µm per level-0 pixel.
        opacity: of the colours.
    """
    rows, columns = (
        np.floor((np.arange(length) + 0.5) * downsample / step_px).astype(np.int64)
        for length in thumbnail.shape[:2]
    )
    # beyond the last cell there may be half a cell of image
    beyond = np.pad(grid, ((0, 1), (0, 1)), constant_values=np.nan)
    at = np.ix_(np.minimum(rows, grid.shape[0]), np.minimum(columns, grid.shape[1]))
    # colour then means the probability and nothing else
    grey = cv2.cvtColor(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    tinted = cv2.addWeighted(grey, 1 - opacity, colours(np.nan_to_num(beyond))[at], opacity, 0)
    painted = np.where(np.isfinite(beyond)[at][..., None], tinted, grey)
    above = (np.nan_to_num(beyond, nan=-1.0) > threshold)[at]
    painted[_rims(above, 1 + (step_px / downsample > ROOMY_PX))] = COLOUR
    below = legend(painted.shape[1], f"probability of {name}: 0", "1", spacing_um * downsample)
    below = _stacked(below, _outline_key(painted.shape[1], name, threshold))
    return _stacked(painted, below)


def _rims(above: Bool[np.ndarray, "h w"], thick: int) -> Bool[np.ndarray, "h w"]:
    """The outermost pixels of what is above."""
    around = np.pad(above.astype(np.uint8), thick)
    inner = cv2.erode(around, np.ones((2 * thick + 1,) * 2, np.uint8))
    return np.asarray(above & (inner[thick:-thick, thick:-thick] == 0))


def _outline_key(width: int, name: str, threshold: float) -> UInt8[np.ndarray, "h w 3"]:
    size = int(np.clip(width / 45, 13, 24))
    box = np.full((2 * size, 2 * size, 3), 255, np.uint8)
    box[size // 2 : -(size // 2)] = COLOUR
    box[size // 2 + 2 : -(size // 2) - 2, 2:-2] = 255
    return row([box, text(f"counted as {name}: above {threshold:.2f}", size)], size)


def _stacked(
    above: UInt8[np.ndarray, "h w 3"], below: UInt8[np.ndarray, "h2 w2 3"]
) -> UInt8[np.ndarray, "h3 w3 3"]:
    width = max(above.shape[1], below.shape[1])
    return np.vstack([widened(above, width), widened(below, width)])
