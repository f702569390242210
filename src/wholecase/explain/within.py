"""Where within an image: a coarse map laid over the pixels that the model saw."""

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from wholecase.explain.colours import colours

VIEW_PX = 384
"""Side to which a small patch is enlarged, so that a reader can see it."""


def enlarged(
    pixels: UInt8[np.ndarray, "H W 3"], least_px: int = VIEW_PX
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture by a whole factor, so that its longer side has at least so many pixels."""
    factor = max(1, -(-least_px // max(pixels.shape[:2])))
    return pixels.repeat(factor, 0).repeat(factor, 1)


def overlay(
    pixels: UInt8[np.ndarray, "H W 3"], values: Float[np.ndarray, "h w"], *, most: float = 0.65
) -> UInt8[np.ndarray, "H W 3"]:
    """The picture with a map over it: what is high is coloured, what is low stays as it is.

    The map is divided by its own maximum, and interpolated between the centres of its cells.

    Args:
        pixels: the picture.
        values: not negative; a map of zeros leaves the picture untouched.
        most: opacity where the map is highest.
    """
    highest = float(values.max())
    if highest <= 0:
        return pixels.copy()
    share = (values / highest).astype(np.float32)
    size = pixels.shape[1], pixels.shape[0]
    heat = np.clip(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), 0, 1)
    opacity = (most * heat)[..., None]
    blended = pixels * (1 - opacity) + colours(heat.astype(np.float64)) * opacity
    mixed: UInt8[np.ndarray, "H W 3"] = np.round(blended).astype(np.uint8)
    return mixed
