"""A CT volume in NIfTI, as the same series in DICOM would be read."""

import warnings
from pathlib import Path
from typing import Any, final

import nibabel
import numpy as np
from jaxtyping import Int16

from wholecase.core.errors import SourceError
from wholecase.core.kinds import CT
from wholecase.sources.ct.nifti_place import MM, is_laid, laid_of
from wholecase.sources.ct.pixel_spacing import pixel_spacing
from wholecase.sources.damage import damage
from wholecase.sources.region import region_of
from wholecase.sources.source import Header, ImageSource, Laid, Level

MOST_VOXELS = 2**30
"""512 x 512 x 4,096."""
TISSUE_FROM = -200
"""Every scan holds air, and no volume in other units than HU has its lowest number below this."""


@final
class NiftiSeries(ImageSource):
    """A volume with its axes turned as DICOM lays slices down.

    Columns run to the patient's left, rows to the back, planes upwards.

    Args:
        path: a `.nii` or `.nii.gz`.
        mpp: the manifest's spacing; goes before the file's own.
    """

    def __init__(self, path: Path, mpp: float | None) -> None:
        with damage(f"{path}: damaged or unusual NIfTI", "fetch or export the volume again"):
            volume, spacing_mm, heights_mm, remarks, laid = _read(path)
        self._volume: Int16[np.ndarray, "Z H W"] | None = volume
        spacing, note = pixel_spacing(mpp, spacing_mm)
        self.header = Header(
            path=path,
            levels=(Level(volume.shape[2], volume.shape[1], 1.0),),
            spacing=spacing,
            spacing_note=note,
            remarks=remarks,
            kind=CT,
            planes_um=tuple(1000 * float(mm) for mm in heights_mm),
            laid=laid,
        )

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> Int16[np.ndarray, "H W 1"]:
        """The region of a slice in Hounsfield units, on air."""
        if self._volume is None:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        box_px = x_px, y_px, width_px, height_px
        return region_of(self._volume[plane, :, :, None], box_px, CT.outside)

    def close(self) -> None:
        """Free the volume."""
        self._volume = None


def _read(
    path: Path,
) -> tuple[
    Int16[np.ndarray, "Z H W"], tuple[float, float], np.ndarray, tuple[str, ...], Laid | None
]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image: Any = nibabel.load(path)
        _check_shape(path, image.shape)
        if image.ndim == 4:  # a single volume with an axis to spare
            image = image.slicer[..., 0]
        tilt = _tilted(image.affine)
        upright: Any = nibabel.as_closest_canonical(image)  # type: ignore[no-untyped-call]  # to the right, front and top
        values = np.asanyarray(upright.dataobj)
    if not np.isfinite(values).all():
        raise SourceError(f"{path}: holds numbers that are none; export the volume again")
    if values.min() > TISSUE_FROM:
        raise SourceError(
            f"{path}: its numbers begin at {values.min():g}, and a CT in Hounsfield units holds "
            f"air at -1000; export the volume in Hounsfield units"
        )
    units = np.clip(np.rint(values), CT.outside, np.iinfo(np.int16).max).astype(np.int16)
    # DICOM counts columns to the left and rows to the back
    volume = np.ascontiguousarray(units[::-1, ::-1].transpose(2, 1, 0))
    scale = MM[image.header.get_xyzt_units()[0]]
    sides = np.linalg.norm(upright.affine[:3, :3], axis=0) * scale
    heights = upright.affine[2, 3] * scale + sides[2] * np.arange(volume.shape[0])
    remarks = (f"the volume lies {tilt:.1f}° off the axes; slices are its own",) if tilt > 1 else ()
    laid = laid_of(upright, volume.shape) if is_laid(image) else None
    return volume, (float(sides[1]), float(sides[0])), heights, remarks, laid


def _check_shape(path: Path, shape: tuple[int, ...]) -> None:
    flat = len(shape) < 3 or (len(shape) > 3 and shape[3:] != (1,) * (len(shape) - 3))
    if flat or len(shape) > 4:
        raise SourceError(f"{path}: of shape {shape}; give one volume of three axes")
    if not 0 < int(np.prod(shape, dtype=np.float64)) <= MOST_VOXELS:
        raise SourceError(f"{path}: of shape {shape}, more than can be held; cut it to the head")


def _tilted(affine: np.ndarray) -> float:
    """Degrees between the volume's axes and the body's, at most."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    nearest = np.abs(directions).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest.min(), -1, 1))))
