"""Tissue by the threshold of Otsu 1979 on the saturation: simple, and known to all."""

from typing import Any, final

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from wholecase.instances.segmenter import Segmenter

VERSION = 1
"""Raised whenever the mask changes, so that stored features do not mix."""
LEAST_SATURATION, MOST_SATURATION = 12, 24
"""Otsu's threshold is kept between these (of 255). Below lies glass with the noise of its JPEG;
above, a slide of strong and pale stains would lose the pale ones, and one full of tissue half."""
DARKEST = 40
"""Brightest channel (of 255) under which a pixel is ink, edge or fold: its saturation is noise."""
MOST_TINT = 30
"""Lamp and camera tint glass up to this saturation; brightest pixels beyond it are tissue."""
BLUR_UM, CLOSING_UM = 24.0, 60.0
"""Diameters: of the noise taken away, and of the gaps (fat, lumina) that are closed."""
SPECK_UM2 = 10_000.0
"""Islands smaller than a square of 100 µm are dust."""


@final
class Otsu(Segmenter):
    """Stained area, by the saturation above a threshold chosen per image (Otsu 1979).

    Pen marks, being coloured, still count as tissue.
    """

    @property
    def settings(self) -> dict[str, Any]:
        """Name and revision; there are no options."""
        return {"name": "otsu", "version": VERSION}

    def __call__(
        self, pixels: UInt8[np.ndarray, "H W 3"], spacing_um: float
    ) -> Bool[np.ndarray, "H W"]:
        """The stained area of a thumbnail; empty on blank glass."""
        saturation = cv2.medianBlur(_saturation(pixels), min(_odd(BLUR_UM / spacing_um), 15))
        otsu, _ = cv2.threshold(saturation, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        mask = (saturation > np.clip(otsu, LEAST_SATURATION, MOST_SATURATION)).astype(np.uint8)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_odd(CLOSING_UM / spacing_um),) * 2)
        return _without_specks(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, disc), spacing_um)


def _saturation(pixels: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    """Saturation once the glass is white; 0 where it is too dark to tell."""
    value = pixels.max(axis=2)
    glass = np.median(pixels[value >= np.quantile(value, 0.95)], axis=0)  # [3]
    if 255 * (1 - glass.min() / max(glass.max(), 1)) <= MOST_TINT:
        pixels = np.clip(pixels * (glass.max() / glass), 0, 255).astype(np.uint8)
    saturation = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]
    return np.where(value < DARKEST, 0, saturation).astype(np.uint8)


def _without_specks(mask: UInt8[np.ndarray, "H W"], spacing_um: float) -> Bool[np.ndarray, "H W"]:
    _, labels, facts, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    large = facts[:, cv2.CC_STAT_AREA] * spacing_um**2 >= SPECK_UM2
    large[0] = False  # the background
    kept: Bool[np.ndarray, "H W"] = large[labels]
    return kept


def _odd(size: float) -> int:
    return max(3, int(size) // 2 * 2 + 1)
