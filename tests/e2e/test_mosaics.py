"""Mosaics of real tissue as pyramidal slides: through check, tissue, grid and real features."""

import csv
from pathlib import Path

import cv2
import numpy as np
import openslide
import pytest
import tifffile

from wholecase.assemble import plan_of
from wholecase.audit import check_cohort
from wholecase.cohort import read_cohort
from wholecase.execution import Place
from wholecase.extract import extract
from wholecase.instances import Grid, stream
from wholecase.recipes import read_recipe
from wholecase.sources import open_source

SPACING_UM = 0.25
SIDE = 3
"""Photographs per side of a mosaic."""


def write_pyramid(path: Path, pixels: np.ndarray, tile_px: int) -> None:
    """A tiled JPEG TIFF of three levels with its spacing, as a scanner's converter writes it."""
    per_cm = 1e4 / SPACING_UM
    with tifffile.TiffWriter(path) as writer:
        for level in range(3):
            writer.write(
                pixels,
                tile=(tile_px, tile_px),
                photometric="rgb",
                compression="jpeg",
                compressionargs={"level": 92},
                subfiletype=1 if level else 0,
                resolution=(per_cm / 2**level,) * 2,
                resolutionunit="CENTIMETER",
            )
            size = pixels.shape[1] // 2, pixels.shape[0] // 2
            pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


@pytest.fixture(scope="module")
def mosaics(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mosaics")
    source = shared / "data/monuseg-organs"
    with (source / "cohort.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in {"kidney", "breast"}]
    told = ["case_id,patient_id,path,label,kind"]
    for number, label in enumerate(("kidney", "breast")):
        mine = [row for row in rows if row["label"] == label]
        # glass all around, so that there is something to leave out
        slide = np.full((SIDE * 1000 + 1400, SIDE * 1000 + 900, 3), 243, np.uint8)
        for i in range(SIDE * SIDE):
            picture = cv2.imread(str(source / mine[i % len(mine)]["path"]))[..., ::-1]
            x, y = 500 + i % SIDE * 1000, 700 + i // SIDE * 1000
            slide[y : y + 1000, x : x + 1000] = picture
        write_pyramid(folder / f"{label}.tif", slide, (240, 256)[number])
        told.append(f"{label},{label},{label}.tif,{label},slide")
    path = folder / "cohort.csv"
    path.write_text("\n".join(told) + "\n")
    return path


@pytest.mark.data
def test_check_finds_nothing_to_object_to(mosaics: Path) -> None:
    audit = check_cohort(read_cohort(mosaics, None), asked_spacing_um=0.5)
    assert not audit.failed
    assert [(s.um, s.images) for s in audit.spacings] == [(0.25, 2)]


@pytest.mark.data
@pytest.mark.parametrize("name", ["kidney.tif", "breast.tif"])
def test_the_grid_keeps_the_tissue_and_its_tiles_are_openslides_pixels(
    mosaics: Path, name: str
) -> None:
    path = mosaics.parent / name
    grid = Grid(side_px=224, spacing_um=0.5, tissue=read_recipe("egfr-clam").cut.options["tissue"])
    slide = openslide.OpenSlide(str(path))
    with open_source(path, "slide", None) as source:
        instances = grid(source)
        tiles = np.empty((len(instances), 224, 224, 3), np.uint8)
        for indices, pixels in stream(source, instances):
            tiles[indices] = pixels
    x, y = instances.box_px[:, 0], instances.box_px[:, 1]
    inside = (x >= 500) & (x + 448 <= 3500) & (y >= 700) & (y + 448 <= 3700)
    # 3,000 px of tissue hold 5 x 5 to 6 x 6 whole squares of 448 px, and some on the edge
    assert inside.sum() >= 25
    assert len(instances) <= 8 * 8
    for box, tile in zip(instances.box_px, tiles, strict=True):
        region = slide.read_region((int(box[0]), int(box[1])), 1, (224, 224)).convert("RGB")
        np.testing.assert_array_equal(tile, np.asarray(region))


@pytest.mark.slow
@pytest.mark.data
def test_real_features_of_real_tissue(mosaics: Path, shared: Path, tmp_path: Path) -> None:
    weights = shared / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
    recipe = read_recipe(
        "egfr-clam", ["encoder.name=mobilenetv2_100", f"encoder.weights={weights}"]
    )
    cohort = read_cohort(mosaics, None)
    done = extract(cohort, plan_of(recipe, tmp_path), Place(workers=2))
    assert not done.failures
    bags = [done.bag(case.images[0]) for case in cohort.cases]
    for bag in bags:
        assert bag is not None
        assert bag.values.shape[1] == 1280
        np.testing.assert_allclose(bag.scale, 0.5)
        assert bag.facts["spacing_um"].startswith("0.25")
    means = [bag.values.mean(0) for bag in bags if bag is not None]
    # two organs are not one: their features differ by more than their halves do
    halves = [np.abs(b.values[::2].mean(0) - b.values[1::2].mean(0)).mean() for b in bags if b]
    assert np.abs(means[0] - means[1]).mean() > max(halves)
