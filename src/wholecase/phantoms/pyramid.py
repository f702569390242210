"""A slide on disk: a tiled, pyramidal JPEG TIFF that OpenSlide opens with its spacing."""

from pathlib import Path

import cv2
import numpy as np
import tifffile
from jaxtyping import UInt8

from wholecase.core.files import atomic

STEP = 4
"""Each level is this much coarser than the one before."""
LEAST_PX = 256
QUALITY = 85


def write_pyramid(
    path: Path, pixels: UInt8[np.ndarray, "H W 3"], *, spacing_um: float, tile_px: int
) -> None:
    """Write the levels one after another, the finest first, each with its own resolution tags."""
    with atomic(path) as neighbour, tifffile.TiffWriter(neighbour) as file:
        level, spacing = pixels, spacing_um
        while True:
            per_cm = 1e4 / spacing
            file.write(
                level,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": QUALITY},
                resolution=(per_cm, per_cm),
                resolutionunit="CENTIMETER",
                subfiletype=int(level is not pixels),
                metadata=None,
                software=False,
                maxworkers=1,
            )
            if max(level.shape[:2]) // STEP < LEAST_PX:
                return
            size = (level.shape[1] // STEP, level.shape[0] // STEP)
            level = np.ascontiguousarray(cv2.resize(level, size, interpolation=cv2.INTER_AREA))
            spacing *= STEP
