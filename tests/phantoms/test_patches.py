"""Drawn patches: the published form, the published rule, and no shortcut through colour."""

import csv
from functools import cache
from itertools import pairwise

import h5py
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from wholecase.core.errors import RecipeError
from wholecase.phantoms import draw_patches
from wholecase.phantoms.patch_plan import plan_patches, sizes_of

STEM = "camelyonpatch_level_2_split_"
SIZE = 320


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return draw_patches(tmp_path_factory.mktemp("patches"), patches=SIZE, seed=3)


@pytest.fixture(scope="module")
def read(folder):
    @cache
    def read(side, name):
        with h5py.File(folder / f"{STEM}{side}_{name}.h5") as file:
            return file[name][:]

    return read


def meta(folder, side):
    with (folder / f"{STEM}{side}_meta.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_are_those_that_are_published(folder, read):
    sides = {"train": 256, "valid": 32, "test": 32}
    names = {f"{STEM}{side}_{part}" for side in sides for part in ("x.h5", "y.h5", "meta.csv")}
    assert {path.name for path in folder.iterdir()} == names | {f"{STEM}test_mask.h5"}
    for side, size in sides.items():
        assert (read(side, "x").shape, read(side, "x").dtype) == ((size, 96, 96, 3), np.uint8)
        assert read(side, "y").shape == (size, 1, 1, 1)
        assert read(side, "y").mean() == 0.5
        rows = meta(folder, side)
        assert list(rows[0]) == ["coord_y", "coord_x", "tumor_patch", "center_tumor_patch", "wsi"]
        centre = [row["center_tumor_patch"] == "True" for row in rows]
        assert centre == read(side, "y").ravel().astype(bool).tolist()
    assert read("test", "mask").shape == (32, 96, 96, 1)


def test_a_slide_is_on_one_side_and_some_have_no_tumour(folder):
    slides = [{row["wsi"] for row in meta(folder, side)} for side in ("train", "valid", "test")]
    assert len(set.union(*slides)) == sum(map(len, slides)) == 10
    ill = {row["wsi"] for row in meta(folder, "train") if row["tumor_patch"] == "True"}
    assert len(slides[0]) == 6
    assert len(ill) == 5


def test_the_label_is_the_mask_of_the_middle(folder, read):
    masks = read("test", "mask")[..., 0]
    assert set(np.unique(masks)) == {0, 1}
    assert np.array_equal(masks[:, 32:64, 32:64].max(axis=(1, 2)), read("test", "y").ravel())
    rows = meta(folder, "test")
    assert masks.any(axis=(1, 2)).tolist() == [row["tumor_patch"] == "True" for row in rows]


def test_some_negatives_have_tumour_beside_the_middle(folder):
    rows = [row for row in meta(folder, "train") if row["center_tumor_patch"] == "False"]
    assert sum(row["tumor_patch"] == "True" for row in rows) > 0.08 * len(rows)


def test_patches_are_tissue_and_none_is_there_twice(read):
    pixels = np.concatenate([read(side, "x") for side in ("train", "valid", "test")])
    assert len(np.unique(pixels.reshape(len(pixels), -1), axis=0)) == len(pixels)
    glass = (pixels.mean(axis=3) > 225).mean(axis=(1, 2))
    assert glass.max() < 0.6
    red, green, blue = pixels[pixels.mean(axis=3) < 200].mean(axis=0)
    assert red > green < blue  # pink and violet


def judged(read, features):
    """AUROC on valid and test patches of a logistic regression taught on the train side."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    model.fit(features(read("train", "x")), read("train", "y").ravel())
    pixels = np.concatenate([read(side, "x") for side in ("valid", "test")])
    truth = np.concatenate([read(side, "y").ravel() for side in ("valid", "test")])
    return roc_auc_score(truth, model.decision_function(features(pixels)))


def test_mean_colour_does_not_tell(read):
    assert judged(read, lambda x: x.reshape(-1, 96 * 96, 3).mean(axis=1)) < 0.8


def test_the_size_of_nuclei_does(read):
    """How much of the contrast lies in which wavelength, whatever the colour and its strength."""
    frequency = np.fft.fftfreq(48)
    radius = np.hypot(frequency[:, None], frequency)
    ends = (0.03, 0.06, 0.09, 0.12, 0.16, 0.2, 0.25, 0.3, 0.4)
    bands = [(low <= radius) & (radius < high) for low, high in pairwise(ends)]
    window = np.hanning(48)[:, None] * np.hanning(48)

    def wavelengths(pixels):
        grey = pixels.mean(axis=3)[:, 24:72, 24:72]
        grey = (grey - grey.mean((1, 2), keepdims=True)) / grey.std((1, 2), keepdims=True)
        power = np.abs(np.fft.fft2(grey * window)) ** 2
        return np.log(np.stack([power[:, band].mean(axis=1) for band in bands], axis=1))

    assert judged(read, wavelengths) > 0.8


@pytest.mark.slow
def test_the_same_seed_draws_the_same_with_any_number_of_workers(tmp_path):
    one = draw_patches(tmp_path / "one", patches=40, seed=1)
    two = draw_patches(tmp_path / "two", patches=40, seed=1, workers=2)
    other = draw_patches(tmp_path / "other", patches=40, seed=2)
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name
    name = f"{STEM}train_x.h5"
    assert (one / name).read_bytes() != (other / name).read_bytes()


def test_the_plan_adds_up():
    for patches in (40, 57, 999, 2000):
        for side, size in sizes_of(patches).items():
            slides = [slide for slide in plan_patches(patches) if slide.side == side]
            assert sum(slide.count for slide in slides) == size
            assert [s.first for s in slides] == [
                sum(s.count for s in slides[:i]) for i in range(len(slides))
            ]
            assert abs(sum(slide.positives for slide in slides) - size / 2) <= 1
            assert all(slide.negatives >= 0 for slide in slides)
    with pytest.raises(RecipeError, match="39 drawn patches are too few; ask for at least 40"):
        plan_patches(39)
