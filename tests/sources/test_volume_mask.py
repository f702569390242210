"""A mask that is a volume is laid over its series by place, else by shape, else refused."""

from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import ImageSource, open_source, volume_mask

SHAPE = (24, 16, 5)
"""Columns, rows, slices."""
STEP = np.diag([-0.5, -0.5, 4.0, 1.0])
STEP[:3, 3] = 6.0, 4.0, -10.0


def save(path: Path, values: np.ndarray, affine: np.ndarray | None) -> Path:
    image = nibabel.Nifti1Image(values, affine)
    if affine is None:
        image.header["sform_code"] = image.header["qform_code"] = 0
    nibabel.save(image, path)
    return path


def series(folder: Path, affine: np.ndarray | None = STEP) -> ImageSource:
    values = np.full(SHAPE, -1000, np.int16)
    values[4:-4, 4:-4] = 40
    return open_source(save(folder / "head.nii.gz", values, affine), "ct")


def marked() -> np.ndarray:
    values = np.zeros(SHAPE, np.uint8)
    values[14:18, 2:8, 1:3] = 1
    return values


def expected() -> np.ndarray:
    return marked().transpose(2, 1, 0) > 0


def test_the_grid_of_the_series_is_taken_as_it_is(tmp_path: Path) -> None:
    mask = save(tmp_path / "mask.nii.gz", marked(), STEP)
    with series(tmp_path) as source:
        assert np.array_equal(volume_mask(mask, source), expected())


def test_axes_may_run_any_way_and_the_volume_be_of_another_size(tmp_path: Path) -> None:
    turned = marked()[::-1, :, ::-1].transpose(2, 0, 1)[1:4]
    affine = np.zeros((4, 4))
    # index (z', x', y) -> index (23 - x', y, 4 - (z' + 1)) of the series
    to_series = np.array([[0, -1, 0, 23], [0, 0, 1, 0], [-1, 0, 0, 3], [0, 0, 0, 1.0]])
    affine = STEP @ to_series
    mask = save(tmp_path / "mask.nii", turned, affine)
    with series(tmp_path) as source:
        assert np.array_equal(volume_mask(mask, source), expected())


def test_a_coarser_mask_marks_the_pixels_at_its_place(tmp_path: Path) -> None:
    coarse = np.zeros((12, 8, 5), np.float32)
    coarse[7:9, 1:4, 1:3] = 1.0
    affine = STEP.copy()
    affine[:3, :2] *= 2
    affine[:3, 3] += STEP[:3, :3] @ [0.5, 0.5, 0.0]
    mask = save(tmp_path / "mask.nii.gz", coarse, affine)
    with series(tmp_path) as source:
        found = volume_mask(mask, source)
    assert found.sum() == expected().sum()
    assert np.array_equal(found, expected())


def test_metres_are_metres(tmp_path: Path) -> None:
    affine = STEP.copy()
    affine[:3] /= 1000
    image = nibabel.Nifti1Image(marked(), affine)
    image.header.set_xyzt_units("meter")
    nibabel.save(image, tmp_path / "mask.nii.gz")
    with series(tmp_path) as source:
        assert np.array_equal(volume_mask(tmp_path / "mask.nii.gz", source), expected())


@pytest.mark.parametrize("whose", ["pictures", "mask"])
def test_where_one_does_not_know_its_place_shapes_must_agree(tmp_path: Path, whose: str) -> None:
    if whose == "pictures":
        folder = tmp_path / "slices"
        folder.mkdir()
        for z in range(SHAPE[2]):
            Image.new("L", SHAPE[:2], 10 * z).save(folder / f"{z}.png")
        opened = open_source(folder, "ct")
    else:
        opened = series(tmp_path)
    affine = STEP if whose == "pictures" else None
    with opened as source:
        mask = save(tmp_path / "mask.nii.gz", marked(), affine)
        assert np.array_equal(volume_mask(mask, source), expected())
        other = save(tmp_path / "other.nii.gz", marked()[:-1], affine)
        with pytest.raises(SourceError, match=r"23 x 16 x 5 voxels and .* 24 x 16 x 5, and not"):
            volume_mask(other, source)


def test_a_mask_of_another_place_is_refused(tmp_path: Path) -> None:
    for axis, mm in ((0, 9.0), (1, 8.0), (2, 21.0)):
        affine = STEP.copy()
        affine[axis, 3] += mm
        mask = save(tmp_path / "mask.nii.gz", marked(), affine)
        with series(tmp_path) as source, pytest.raises(SourceError, match="lies outside"):
            volume_mask(mask, source)


@pytest.mark.parametrize("content", [b"", b"no volume", "flat"])
def test_what_is_no_volume_is_refused(tmp_path: Path, content: bytes | str) -> None:
    mask = tmp_path / "mask.nii.gz"
    if content == "flat":
        save(mask, np.zeros((4, 4, 3, 2), np.uint8), STEP)
    else:
        mask.write_bytes(content)
    with series(tmp_path) as source, pytest.raises(SourceError, match=r"mask\.nii\.gz: the mask"):
        volume_mask(mask, source)
