"""Tissue that has hardly taken any stain: a little darker than glass, and uneven."""

import cv2
import numpy as np
from jaxtyping import UInt8

from wholecase.instances.islands import square

LEAST_DARKENING, MOST_DARKENING = 6, 130
"""How much darker (of 255) than glass grey tissue is; dirt and ink are darker still."""
LEAST_TEXTURE, MORE_TEXTURE = 1.5, 1.6
"""Grey tissue is uneven by this much (of 255) and so many times more than glass; shadows are
not."""
BROAD_UM = 120.0
"""Grey things that are nowhere this wide are rims, lines and dust."""


def dense(
    soft: UInt8[np.ndarray, "H W 3"], hsv: UInt8[np.ndarray, "H W 3"], spacing_um: float
) -> UInt8[np.ndarray, "H W"]:
    """255 where something broad, uneven and a little darker than glass lies.

    Args:
        soft: the thumbnail without its noise.
        hsv: the same once its glass is white, as hue, saturation, brightness.
        spacing_um: µm per pixel.
    """
    grey = cv2.cvtColor(soft, cv2.COLOR_RGB2GRAY)
    uneven = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    brush = square(BROAD_UM, spacing_um)
    texture = cv2.blur(uneven.astype(np.float32), brush.shape)
    value = np.ascontiguousarray(hsv[..., 2])
    broad = cv2.morphologyEx(value, cv2.MORPH_CLOSE, brush)  # takes dark lines away
    bare = texture[broad > 255 - LEAST_DARKENING]
    least = max(LEAST_TEXTURE, MORE_TEXTURE * float(np.median(bare)) if bare.size else np.inf)
    darker = _darker(broad)
    darker[texture < least] = 0
    # these know the place to within the brush: the border is where glass begins
    near = cv2.dilate(cv2.morphologyEx(darker, cv2.MORPH_OPEN, brush), brush)
    return np.asarray(cv2.bitwise_and(near, _darker(value)))


def _darker(value: UInt8[np.ndarray, "H W"]) -> UInt8[np.ndarray, "H W"]:
    return np.asarray(cv2.inRange(value, 255 - MOST_DARKENING, 255 - LEAST_DARKENING))
