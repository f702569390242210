"""Pixels as a slide on disk."""

from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
import tifffile


@pytest.fixture
def write_slide(tmp_path: Path) -> Callable[..., Path]:
    """Write pixels as a tiled pyramid with its spacing in the tags, each level half the last."""

    def write(pixels, spacing_um=0.5, name="slide.tif", levels=3, **options) -> Path:
        per_cm = (round(1e4 / spacing_um),) * 2
        options = {"tile": (256, 256), "photometric": "rgb", "metadata": None} | options
        with tifffile.TiffWriter(tmp_path / name) as file:
            for level in range(levels):
                said = {"resolution": per_cm, "resolutionunit": 3, "subfiletype": int(level > 0)}
                file.write(pixels, **said, **options)
                size = pixels.shape[1] // 2, pixels.shape[0] // 2
                pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        return tmp_path / name

    return write
