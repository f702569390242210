"""What empty glass looks like in an image, so that only what lies on it has colour."""

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

SAMPLED_PX = 120_000
"""About this many pixels are looked at."""
MOST_TINT = 40
"""Lamp, camera and mounting medium tint glass up to this saturation (of 255)."""
SMOOTH = 8
"""Neighbouring brightnesses differ on glass by this much at most (of 255)."""
DARKEST_GLASS = 140
NEAR = 4
"""Glass has one colour: most of it lies within this distance (of 255) in every channel."""


@dataclass(frozen=True)
class Glass:
    """The colour of bare glass and how much it varies."""

    colour: Float64[np.ndarray, "3"]
    noise: float
    """Saturation (of 255) below which the whitened glass stays, nearly everywhere."""


def find_glass(pixels: UInt8[np.ndarray, "H W 3"]) -> Glass | None:
    """The brightest smooth colour that many pixels share, or None where nothing looks like glass.

    Stains only take light away, so glass is brightest in every channel. Pure white is what
    readers paint around a scan, and is not looked at.
    """
    step = max(1, int(np.sqrt(pixels.shape[0] * pixels.shape[1] / SAMPLED_PX)))
    sample = np.ascontiguousarray(pixels[::step, ::step])
    darkest = _least(sample)
    bright = _smooth(sample) & (darkest > DARKEST_GLASS) & (darkest < 254)
    if bright.mean() < 0.002:
        return None
    top = np.quantile(darkest[bright], 0.97)
    found = sample[bright & (darkest >= top - 10)]
    colour = np.median(found, axis=0)
    shared = (np.abs(found - colour) <= NEAR).all(axis=1)
    if shared.mean() < 0.6 or 255 * (1 - colour.min() / colour.max()) > MOST_TINT:
        return None
    return Glass(colour, _noise(found, colour))


def whitened(pixels: UInt8[np.ndarray, "H W 3"], glass: Glass | None) -> UInt8[np.ndarray, "H W 3"]:
    """The image as if its glass were white."""
    if glass is None:
        return pixels
    return np.asarray(cv2.LUT(pixels, _table(glass.colour)))


def _table(colour: Float64[np.ndarray, "3"]) -> UInt8[np.ndarray, "1 256 3"]:
    steps = np.arange(256.0)[None, :, None]
    table: UInt8[np.ndarray, "1 256 3"] = np.clip(steps * 255 / colour + 0.5, 0, 255).astype(
        np.uint8
    )
    return table


def _least(sample: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    red, green, blue = cv2.split(sample)
    return np.asarray(cv2.min(cv2.min(red, green), blue))


def _smooth(sample: UInt8[np.ndarray, "h w 3"]) -> Bool[np.ndarray, "h w"]:
    grey = cv2.cvtColor(sample, cv2.COLOR_RGB2GRAY)
    spread = cv2.morphologyEx(grey, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(spread <= SMOOTH)


def _noise(found: UInt8[np.ndarray, "n 3"], colour: Float64[np.ndarray, "3"]) -> float:
    white = cv2.LUT(np.ascontiguousarray(found[None]), _table(colour))
    saturation = cv2.cvtColor(white, cv2.COLOR_RGB2HSV)[0, :, 1]
    middle, high = np.quantile(saturation, (0.5, 0.84))
    return float(middle + 4 * (high - middle))
