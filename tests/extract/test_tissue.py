"""What people may want to see of the tissue lies beside the bag, or says why there is none."""

import json

import cv2
import numpy as np
import pytest
import tifffile

from extract.conftest import cohort_of, files
from wholecase.cohort import Image
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.experiment.tissue_pictures import keep_tissue
from wholecase.extract import Plan, extract
from wholecase.instances import Grid
from wholecase.runs import RunFolder

SPACING = {"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}


def slide(path, *, tissue):
    """A slide of 1024 px at 0.5 µm/px, its left half stained or all of it glass."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(243, 247, (1024, 1024, 3)).astype(np.uint8)
    if tissue:
        pixels[128:896, 64:512] = (190, 90, 160)
        pixels[128:896, 64:512] += rng.integers(0, 40, (768, 448, 3)).astype(np.uint8)
    tifffile.imwrite(
        path, pixels, tile=(256, 256), photometric="rgb", compression="jpeg", **SPACING
    )
    return path


def outline(path, x, y, width, height):
    ring = [[x, y], [x + width, y], [x + width, y + height], [x, y + height], [x, y]]
    geometry = {"type": "Polygon", "coordinates": [ring]}
    path.write_text(json.dumps({"type": "Feature", "geometry": geometry, "properties": {}}))
    return path


def plan_in(folder):
    return Plan(Grid(64, 0.5, {"name": "otsu", "least": 0.5}), EncoderSpec("colour"), folder)


@pytest.mark.parametrize("central", [False, True])
def test_outline_and_picture_lie_beside_the_bag(tmp_path, central):
    image = Image(slide(tmp_path / "a.tif", tissue=True), "slide", 2)
    cohort = cohort_of(tmp_path, image)
    found = extract(cohort, plan_in(tmp_path / "s"), Place(workers=int(central)), central=central)
    (bag,) = (tmp_path / "s").glob("*/*.safetensors")
    collection = json.loads(bag.with_name(f"{bag.stem}.tissue.geojson").read_text())
    corners = np.array(collection["features"][0]["geometry"]["coordinates"][0])
    # the mask is as coarse as 8 µm/px, which is 16 px of the slide
    np.testing.assert_allclose(corners.min(0), (64, 128), atol=64)
    np.testing.assert_allclose(corners.max(0), (512, 896), atol=64)
    picture = cv2.imread(str(bag.with_name(f"{bag.stem}.tissue.jpg")))
    assert max(picture.shape) <= 320
    again = extract(cohort, plan_in(tmp_path / "again"), Place(workers=0))
    assert files(tmp_path / "s") == files(tmp_path / "again")
    assert len(found.bag(image)) == len(again.bag(image)) > 50
    assert found.bag(image).facts["reader"] == "tiff"


@pytest.mark.parametrize("central", [False, True])
def test_glass_alone_leaves_its_picture_among_the_refused(tmp_path, central):
    image = Image(slide(tmp_path / "bare.tif", tissue=False), "slide", 2)
    cohort = cohort_of(tmp_path, image)
    found = extract(cohort, plan_in(tmp_path / "s"), Place(workers=int(central)), central=central)
    assert [failure.stage for failure in found.failures] == ["tissue"]
    (picture,) = (tmp_path / "s").glob("*/refused/*.jpg")
    assert cv2.imread(str(picture)).min() > 200
    assert picture.stem == found.digests[image.path]


def test_an_outline_of_the_manifest_chooses_and_names_the_bag(tmp_path):
    path = slide(tmp_path / "a.tif", tissue=True)
    drawn = outline(tmp_path / "a.geojson", 512, 0, 256, 256)
    plain, outlined = Image(path, "slide", 2), Image(path, "slide", 3, tissue=drawn)
    plan = plan_in(tmp_path / "s")
    found = extract(cohort_of(tmp_path, plain, outlined), plan, Place(workers=0))
    assert [failure.reason for failure in found.failures] == []
    assert found.encoded == 2
    np.testing.assert_array_equal(
        found.bag(outlined).box_px[:, :2].max(0), (512 + 192, 192), strict=False
    )
    assert len(found.bag(outlined)) == 16
    outline(tmp_path / "a.geojson", 512, 0, 128, 128)
    mended = extract(cohort_of(tmp_path, plain, outlined), plan, Place(workers=0))
    assert (mended.encoded, mended.reused, len(mended.bag(outlined))) == (1, 1, 4)


@pytest.mark.parametrize(("text", "told"), [("{", "GeoJSON"), (None, "no such file")])
def test_an_outline_that_is_none_costs_its_image(tmp_path, text, told):
    drawn = tmp_path / "a.geojson"
    if text is not None:
        drawn.write_text(text)
    image = Image(slide(tmp_path / "a.tif", tissue=True), "slide", 2, tissue=drawn)
    (failure,) = extract(
        cohort_of(tmp_path, image), plan_in(tmp_path / "s"), Place(workers=0)
    ).failures
    assert failure.stage == "tissue"
    assert told in failure.reason
    assert str(drawn) in failure.reason


def test_upsampling_is_told_where_there_is_some(tmp_path):
    path = slide(tmp_path / "a.tif", tissue=True)
    image = Image(path, "slide", 2)
    for spacing, told in [(0.5, None), (0.46, "1.087"), (1.0, None)]:
        plan = Plan(Grid(64, spacing), EncoderSpec("colour"), tmp_path / "s")
        found = extract(cohort_of(tmp_path, image), plan, Place(workers=0))
        assert found.bag(image).facts.get("upsampling") == told


def test_a_share_of_the_tiles_is_another_bag_and_is_told(tmp_path):
    image = Image(slide(tmp_path / "a.tif", tissue=True), "slide", 2)
    cohort, tissue = cohort_of(tmp_path, image), {"name": "otsu", "least": 0.5}

    def made(sample):
        plan = Plan(Grid(64, 0.5, tissue, sample), EncoderSpec("colour"), tmp_path / "s")
        return extract(cohort, plan, Place(workers=0))

    every, some = made(None), made({"share": 0.2})
    boxes = set(map(tuple, every.bag(image).box_px.tolist()))
    assert every.squares(image) is None
    assert some.squares(image) == len(boxes)
    assert some.instances(image) == some.tiles == round(0.2 * len(boxes))
    assert set(map(tuple, some.bag(image).box_px.tolist())) < boxes
    assert some.keys([image]) != every.keys([image])
    framed, bare = (cv2.imread(str(one.picture(image))) for one in (some, every))
    assert np.abs(framed.astype(int) - bare).max() > 60  # frames around what was read
    folder = RunFolder(tmp_path / "run")
    keep_tissue(folder, cohort, some)
    (entry,) = json.loads(folder.tissue.read_text())
    assert (entry["instances"], entry["squares"]) == (some.tiles, len(boxes))
    keep_tissue(folder, cohort, every)
    assert "squares" not in json.loads(folder.tissue.read_text())[0]
