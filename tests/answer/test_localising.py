"""Masks of a case: volumes for series, pictures for pictures, and what does not go together."""

from dataclasses import replace
from pathlib import Path

import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.answer.localising import localise
from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError
from wholecase.explain import GRAD_CAM, Evidence

SLICES, HEIGHT, WIDTH = 4, 10, 12
STEP = np.diag([-1.0, -1.0, 5.0, 1.0])
SIZES = dict.fromkeys(range(SLICES), (WIDTH, HEIGHT))


def evidence(by_image: bool) -> Evidence:
    alone = np.array([0.2, 0.7, 0.9, 0.1])
    numbers = np.arange(SLICES)
    return Evidence(
        weights=(numbers == 2).astype(np.float64)[:, None],
        scores=np.zeros((SLICES, 1)),
        image=numbers if by_image else np.zeros(SLICES, np.int64),
        box_px=np.tile([0, 0, WIDTH, HEIGHT], (SLICES, 1)),
        position_um=np.zeros((SLICES, 3), np.float32),
        logits=np.zeros((SLICES, 0)),
        plane=None if by_image else numbers,
        alone=np.stack([1 - alone, alone], 1),
    )


def volume(folder: Path, name: str, values: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(values, STEP), folder / name)
    return folder / name


@pytest.fixture
def scan(tmp_path: Path) -> Case:
    """The second slice has the lesion."""
    units = np.full((WIDTH, HEIGHT, SLICES), -1000, np.int16)
    mask = np.zeros((WIDTH, HEIGHT, SLICES), np.uint8)
    mask[1:9, 1:9, 1] = 1
    path = volume(tmp_path, "head.nii.gz", units)
    image = Image(path, "ct", 2, mask=volume(tmp_path, "mask.nii.gz", mask))
    return Case("c", "p", (image,))


@pytest.fixture
def pictures(tmp_path: Path) -> Case:
    """The same as pictures."""
    images = []
    for z in range(SLICES):
        Picture.new("L", (WIDTH, HEIGHT)).save(tmp_path / f"{z}.png")
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        mask[1:9, 1:9] = 255 * (z == 1)
        Picture.fromarray(mask).save(tmp_path / f"mask{z}.png")
        path, masked = tmp_path / f"{z}.png", tmp_path / f"mask{z}.png"
        images.append(Image(path, "tile", 2 + z, order=float(z), mask=masked))
    return Case("c", "p", tuple(images))


def test_a_series_is_judged_slice_by_slice(scan: Case, pictures: Case) -> None:
    for case, by_image in ((scan, False), (pictures, True)):
        found = localise(case, evidence(by_image), SIZES)
        assert found.auc == pytest.approx(2 / 3)
        assert found.slices is not None
        assert (found.slices.slices, found.slices.lesions, found.slices.first_rank) == (4, 1, 2)


def test_tiles_that_nobody_ordered_are_judged_by_their_weight(pictures: Case) -> None:
    images = [replace(image, order=None) for image in pictures.images]
    found = localise(replace(pictures, images=tuple(images)), evidence(by_image=True), SIZES)
    assert found.slices is None
    assert found.auc == pytest.approx(1 / 3)


def test_without_masks_nothing_is_said(scan: Case) -> None:
    bare = replace(scan, images=(replace(scan.images[0], mask=None),))
    assert localise(bare, evidence(by_image=False), SIZES).auc is None


def test_a_picture_is_no_mask_of_a_scan_and_a_volume_none_of_a_tile(
    scan: Case, pictures: Case
) -> None:
    wrong = replace(scan.images[0], mask=pictures.images[0].mask)
    with pytest.raises(SourceError, match=r"a picture, and .* has 4 slices; give a NIfTI volume"):
        localise(replace(scan, images=(wrong,)), evidence(by_image=False), SIZES)
    tile = replace(pictures.images[0], order=None, mask=scan.images[0].mask)
    with pytest.raises(SourceError, match=r"a volume, and .* is no series"):
        localise(replace(pictures, images=(tile,)), evidence(by_image=True), SIZES)


def test_of_slices_that_are_cut_to_the_head_the_cut_counts(scan: Case, pictures: Case) -> None:
    maps = np.zeros((SLICES, 2, 2), np.float32)
    maps[1, 0, 0] = 1.0
    for case, by_image in ((scan, False), (pictures, True)):
        cut = replace(
            evidence(by_image),
            box_px=np.tile([4, 4, 8, 6], (SLICES, 1)),
            weights=np.full((SLICES, 1), 1 / SLICES),
            maps={GRAD_CAM: maps},
        )
        found = localise(case, cut, SIZES).slices
        assert found is not None
        # of the cut's 8 x 6 px the lesion, up to 9 x 9, fills 5 x 5
        assert found.map_chance == pytest.approx(25 / 48)
        assert found.map_share == pytest.approx(1.0)
        outside = replace(cut, box_px=np.tile([9, 0, 3, 10], (SLICES, 1)))
        gone = localise(case, outside, SIZES).slices
        assert gone is not None
        assert gone.lesions == 0
