"""Images to read: a random texture, and a tiled pyramid of it on disk."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile


@pytest.fixture
def texture() -> np.ndarray:
    """[700, 1000, 3] smooth colours, no two regions alike."""
    coarse = np.random.default_rng(3).integers(0, 255, (35, 50, 3), dtype=np.uint8)
    return cv2.resize(coarse, (1000, 700), interpolation=cv2.INTER_CUBIC)


@pytest.fixture
def write_slide(tmp_path: Path) -> Callable[..., Path]:
    """Write pixels as a tiled pyramid, a page per level, each half the last."""

    def write(pixels, name="slide.tif", levels=3, resolution=None, unit=3, **options) -> Path:
        options = {"tile": (256, 256), "photometric": "rgb", "metadata": None} | options
        if resolution is not None:
            options |= {"resolution": resolution, "resolutionunit": unit}
        with tifffile.TiffWriter(tmp_path / name) as file:
            for level in range(levels):
                file.write(pixels, subfiletype=int(level > 0), **options)
                size = pixels.shape[1] // 2, pixels.shape[0] // 2
                pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return tmp_path / name

    return write
