"""Slides whose tissue is known, because it was drawn."""

import cv2
import numpy as np
import pytest

from toys.pyramids import write_slide

__all__ = ["write_slide"]


@pytest.fixture
def stained() -> np.ndarray:
    """[1500, 2100, 3] white glass with one pink disc of radius 500 around (1200, 700)."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(238, 248, (1500, 2100, 3), dtype=np.uint8)
    disc = np.zeros(pixels.shape[:2], np.uint8)
    cv2.circle(disc, (1200, 700), 500, 1, -1)
    texture = np.array([200, 120, 170]) + rng.integers(-25, 25, (disc.sum(), 1))
    pixels[disc == 1] = texture.astype(np.uint8)
    return pixels
