"""Stored samples of any depth as 8-bit RGB on white."""

import cv2
import numpy as np
from jaxtyping import Shaped, UInt8


def to_rgb(
    samples: Shaped[np.ndarray, "H W S"], bits: int = 8, *, inverted: bool = False
) -> UInt8[np.ndarray, "H W 3"]:
    """Unsigned grey, RGB or RGBA samples as RGB; the high 8 of `bits` are kept.

    Args:
        samples: 1 sample per pixel is grey, 3 are RGB, a fourth is its opacity.
        bits: how many of each sample's bits are in use, from the lowest.
        inverted: 0 is white.

    >>> to_rgb(np.array([[[4095], [0]]], np.uint16), 12).tolist()
    [[[255, 255, 255], [0, 0, 0]]]
    """
    eight = (samples >> max(bits - 8, 0)).astype(np.uint8)
    if inverted:
        eight = 255 - eight
    if eight.shape[2] == 1:
        return np.repeat(eight, 3, axis=2)
    return on_white(np.ascontiguousarray(eight)) if eight.shape[2] == 4 else eight


def on_white(rgba: UInt8[np.ndarray, "H W 4"]) -> UInt8[np.ndarray, "H W 3"]:
    """What is seen of a picture that lies on white paper."""
    rgb = cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB)
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return rgb
    return ((rgb * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)
