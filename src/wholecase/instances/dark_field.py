"""Whether a picture was taken with light from the side: bright things on black."""

import cv2
import numpy as np
from jaxtyping import UInt8

DARKEST = 40
"""Brightest channel (of 255) under which a pixel is ink, edge or filled in by the scanner."""
MOSTLY = 0.5
"""In dark field more than this share is dark."""
BRIGHT = 200
"""Darkest channel (of 255) from which a pixel is as bright as glass or paper."""


def is_dark_field(hsv: UInt8[np.ndarray, "H W 3"]) -> bool:
    """Whether most is dark, and what is neither dark nor bright borders on the dark.

    Black that a scanner fills in beside bright glass is no dark field: the tissue there borders on
    the glass. White that a reader paints around a dark field is no glass.
    """
    small = np.ascontiguousarray(hsv[::2, ::2])
    _, saturation, value = cv2.split(small)
    dark = value < DARKEST
    if dark.mean() <= MOSTLY:
        return False
    least = value.astype(np.uint16) * (255 - saturation.astype(np.uint16)) // 255
    bright = least >= BRIGHT
    between = (~(dark | bright)).astype(np.uint8)
    near = cv2.dilate(between, np.ones((3, 3), np.uint8)) > 0
    return bool((near & dark).sum() >= (near & bright).sum())
