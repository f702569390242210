"""Where the frames of a DICOM slide lie on its level."""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from pydicom import Dataset

from wholecase.core.errors import SourceError
from wholecase.sources.dicom_tail import Tail
from wholecase.sources.mosaic import grid_of, regular

Extent = tuple[tuple[int, int], tuple[int, int], int]
"""Pixels of the level, pixels of a frame (width, height), and how many frames there are."""


@dataclass(frozen=True)
class Placed:
    """Frames of one focal plane, and their corners."""

    frames: Int64[np.ndarray, " F"]
    corners_px: Int64[np.ndarray, "F 2"]
    is_ordered: bool
    """Whether the file says so, or the order is the usual one."""


def placed(path: Path, header: Dataset, tail: Tail, extent: Extent) -> Placed:
    """Each frame's place: its own words where it has them (TILED_SPARSE), else row by row.

    Of several focal planes, the middle one is taken.

    Raises:
        SourceError: the frames do not cover the level, or lie outside of it.
    """
    size_px, tile_px, count = extent
    if tail.columns:
        return _sparse(path, tail, size_px, count)
    tiles = grid_of(size_px, tile_px)
    planes = int(header.get("TotalPixelMatrixFocalPlanes") or 1)
    if count != planes * math.prod(tiles):
        raise SourceError(
            f"{path}: {count} frames of {tile_px[0]} x {tile_px[1]} px do not cover "
            f"{planes} x {size_px[0]} x {size_px[1]} px, and none says where it lies; export the "
            f"slide again"
        )
    # all tiles of the first plane, then all of the next (PS3.3, C.7.6.17.3)
    corners = regular(size_px, tile_px)
    frames = planes // 2 * len(corners) + np.arange(len(corners))
    is_ordered = header.get("DimensionOrganizationType") == "TILED_FULL" or 1 in tiles
    return Placed(frames, corners, is_ordered)


def _sparse(path: Path, tail: Tail, size_px: tuple[int, int], count: int) -> Placed:
    heights = np.round(tail.heights or [0.0] * count, 6)
    if not len(tail.columns) == len(tail.rows) == len(heights) == count:
        raise SourceError(
            f"{path}: {len(tail.columns)} places for {count} frames; export the slide again"
        )
    corners = np.array([tail.columns, tail.rows], np.int64).T - 1  # counted from 1
    if corners.min() < 0 or (corners >= size_px).any():
        raise SourceError(
            f"{path}: frames lie outside of its {size_px[0]} x {size_px[1]} px; export the slide "
            f"again"
        )
    planes = np.unique(heights)
    frames = np.flatnonzero(heights == planes[len(planes) // 2])
    return Placed(frames, corners[frames], is_ordered=True)
