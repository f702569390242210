"""A probability per cell as colours over the slide, on one scale for all slides: 0 to 1."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from wholecase.explain.colours import colours
from wholecase.explain.legend import legend, widened


def paint_probabilities(  # noqa: PLR0913 (the four that define the picture, and two of its legend)
    thumbnail: UInt8[np.ndarray, "H W 3"],
    downsample: float,
    grid: Float[np.ndarray, "rows columns"],
    step_px: float,
    *,
    name: str,
    spacing_um: float,
    opacity: float = 0.5,
) -> UInt8[np.ndarray, "h w 3"]:
    """The thumbnail in grey, judged cells in colour, with a legend below.

    Args:
        thumbnail: the whole image; it lies at the top left of the result, unchanged in size.
        downsample: level-0 pixels per pixel of the thumbnail.
        grid: the probability of each cell, nan where nothing was judged.
        step_px: side of a cell in level-0 pixels.
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
    below = legend(painted.shape[1], f"probability of {name}: 0", "1", spacing_um * downsample)
    return np.vstack([widened(painted, below.shape[1]), below])
