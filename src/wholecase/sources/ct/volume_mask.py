"""A mask that is a volume, slice by slice of the series that it was drawn on."""

from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Shaped

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular
from wholecase.sources.ct.nifti_place import is_laid, patient_mm
from wholecase.sources.damage import damage
from wholecase.sources.source import ImageSource, Laid

LEAST_WITHIN = 0.9
"""Of a mask's voxels, so many lie in the series that it belongs to; the others are its rim."""
BETWEEN = 0.75
"""Of the distance of two slices: a voxel farther from the nearest one lies in none."""


def volume_mask(path: Path, source: ImageSource) -> Bool[np.ndarray, "planes H W"]:
    """Which pixels of each plane of a series the volume marks with more than one half.

    Where both say where in the patient they lie, each pixel takes the voxel at its place, whatever
    the sizes of both; else the volume has the shape of the series: columns, rows and slices, in
    their order.

    Raises:
        SourceError: the volume cannot be read, or fits the series in neither way.
    """
    volume, along = _read(path)
    level = source.levels[0]
    shape = (len(source.planes_um), level.height_px, level.width_px)
    laid = source.header.laid
    if laid is not None and along is not None:
        _refuse_elsewhere(path, source, volume, along)
        return _at_places(volume, np.linalg.inv(along), laid, shape)
    if volume.shape != shape[::-1]:
        raise SourceError(
            f"{path}: the mask has {_sides(volume.shape)} voxels and {source.path} "
            f"{_sides(shape[::-1])}, and not both say where in the patient they lie; save the mask "
            f"on the grid of its series"
        )
    same: Bool[np.ndarray, "planes H W"] = volume.transpose(2, 1, 0) > 0.5
    return same


def _read(path: Path) -> tuple[Shaped[np.ndarray, "X Y Z"], Float64[np.ndarray, "4 4"] | None]:
    """The volume, and from its indices to mm in the patient where it tells."""
    import nibabel

    refuse_irregular(path, SourceError)
    with damage(f"{path}: the mask cannot be read", "give a NIfTI volume of the series"):
        image: Any = nibabel.load(path)
        values = np.asanyarray(image.dataobj)
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3 or not np.isfinite(values).all():
        raise SourceError(
            f"{path}: the mask is of shape {values.shape}; give one volume of three axes, finite "
            f"everywhere"
        )
    return values, patient_mm(image) if is_laid(image) else None


def _at_places(
    volume: Shaped[np.ndarray, "X Y Z"],
    to_voxel: Float64[np.ndarray, "4 4"],
    laid: Laid,
    shape: tuple[int, int, int],
) -> Bool[np.ndarray, "planes H W"]:
    """Of each pixel the nearest voxel, none beyond the volume; a plane at a time."""
    found = np.zeros(shape, bool)
    turn = to_voxel[:3, :3]
    rows = np.arange(shape[1])[:, None, None] * (turn @ laid.down_mm)
    columns = np.arange(shape[2])[:, None] * (turn @ laid.across_mm)
    for plane, first in enumerate(laid.first_mm):
        at = np.rint(turn @ first + to_voxel[:3, 3] + rows + columns).astype(np.int64)  # [H, W, 3]
        inside = ((at >= 0) & (at < volume.shape)).all(-1)
        x, y, z = at[inside].T
        found[plane][inside] = volume[x, y, z] > 0.5
    return found


def _refuse_elsewhere(
    path: Path,
    source: ImageSource,
    volume: Shaped[np.ndarray, "X Y Z"],
    along: Float64[np.ndarray, "4 4"],
) -> None:
    marked = np.argwhere(volume > 0.5)
    if not len(marked):
        return
    points = marked @ along[:3, :3].T + along[:3, 3]
    share = float(_within(points, source).mean())
    if share < LEAST_WITHIN:
        raise SourceError(
            f"{path}: {100 * (1 - share):.0f} % of what it marks lies outside {source.path}; give "
            f"the mask of this series"
        )


def _within(points: Float64[np.ndarray, "P 3"], source: ImageSource) -> Bool[np.ndarray, " P"]:
    """Which points lie in a slice, or between two of them."""
    laid, level = source.header.laid, source.levels[0]
    assert laid is not None, "asked before"  # noqa: S101
    normal = np.cross(laid.across_mm, laid.down_mm)
    normal /= np.linalg.norm(normal)
    heights, own = laid.first_mm @ normal, points @ normal
    order = np.argsort(heights)
    after = np.clip(np.searchsorted(heights[order], own), 1, max(len(order) - 1, 1))
    pair = np.minimum(np.stack([after - 1, after]), len(order) - 1)
    gap = np.abs(heights[order][pair] - own)
    nearest = order[np.take_along_axis(pair, gap.argmin(0)[None], 0)[0]]
    steps = np.diff(heights[order])
    reach = BETWEEN * float(steps.max()) if len(steps) else np.inf
    off = points - laid.first_mm[nearest]
    columns = off @ laid.across_mm / (laid.across_mm @ laid.across_mm)
    rows = off @ laid.down_mm / (laid.down_mm @ laid.down_mm)
    inside: Bool[np.ndarray, " P"] = (
        (gap.min(0) <= reach)
        & (np.abs(columns - (level.width_px - 1) / 2) <= level.width_px / 2)
        & (np.abs(rows - (level.height_px - 1) / 2) <= level.height_px / 2)
    )
    return inside


def _sides(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
