"""Samples of any kind as a picture for people."""

import numpy as np
from jaxtyping import Shaped, UInt8

from wholecase.core.kinds import CT, PixelKind

BRAIN = (0.0, 80.0)
"""HU that are shown black and white: the usual window for brain, centre 40 and width 80."""


def as_picture(
    pixels: Shaped[np.ndarray, "H W channels"],
    kind: PixelKind,
    shades: tuple[float, float] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """RGB as it is; a single channel in grey.

    `shades` are the numbers of the kind that are black and white; None is the window for brain of
    Hounsfield units, and all of any other kind.
    """
    if pixels.dtype == np.uint8 and kind.channels == 3:
        return pixels
    low, high = shades or (BRAIN if kind == CT else (kind.low, kind.high))
    share = (kind.numbers(pixels[..., :1]) - low) / (high - low)
    grey = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(grey, (*grey.shape[:2], 3)))
