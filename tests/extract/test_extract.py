"""From files to bags: each content once, one bad image costs one image, the same bytes again."""

import os
import pickle
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from wholecase.cohort import Case, Cohort, Image
from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import EncoderSpec
from wholecase.execution import Place
from wholecase.extract import Plan, extract
from wholecase.instances import Grid, Whole, stream
from wholecase.sources import open_source

COLOUR = EncoderSpec("colour")
SIDE = 64


def draw(path, seed=0, size_px=(100, 130)):
    coarse = np.random.default_rng(seed).integers(40, 256, (12, 12, 3), np.uint8)
    cv2.imwrite(str(path), cv2.resize(coarse, size_px, interpolation=cv2.INTER_LINEAR))
    return path


def cohort_of(tmp_path, *cases):
    """One patient per case; `cases` are sequences of images."""
    made = [Case(f"c{i}", f"p{i}", tuple(images)) for i, images in enumerate(cases)]
    return Cohort(tmp_path / "cohort.csv", tuple(made), ())


def tile(path, **more):
    return Image(path, "tile", 2, **more)


def plan_in(folder, cut=None):
    return Plan(cut or Grid(SIDE, 0.5), COLOUR, folder)


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def three(tmp_path):
    a, b, c = (tile(draw(tmp_path / f"{name}.png", i)) for i, name in enumerate("abc"))
    return cohort_of(tmp_path, [a, b], [c])


def images_of(cohort):
    return [image for case in cohort.cases for image in case.images]


def test_bags_are_what_cutting_and_encoding_by_hand_gives(tmp_path):
    image = Image(draw(tmp_path / "a.png", size_px=(300, 200)), "still", 2, mpp=0.5)
    cohort, cut = cohort_of(tmp_path, [image]), Grid(SIDE, 0.5)
    bag = extract(cohort, plan_in(tmp_path / "store", cut), Place(workers=0)).bag(image)
    with open_source(image.path, "still", 0.5) as source:
        instances = cut(source)
        expected = np.empty_like(bag.values)
        for indices, pixels in stream(source, instances, batch=3):
            expected[indices] = COLOUR.build().encode(pixels)
    assert len(bag) == (300 // SIDE) * (200 // SIDE)
    np.testing.assert_array_equal(bag.values, expected)
    np.testing.assert_array_equal(bag.box_px, instances.box_px)
    np.testing.assert_array_equal(bag.position_um, instances.position_um)
    np.testing.assert_array_equal(bag.scale, instances.scale)
    assert bag.facts == {
        "width_px": "300",
        "height_px": "200",
        "spacing_um": "0.5",
        "spacing_rung": "manifest",
    }


def test_the_number_of_workers_changes_no_byte(tmp_path, three):
    found = [extract(three, plan_in(tmp_path / str(n)), Place(workers=n)) for n in (0, 2)]
    assert [e.encoded for e in found] == [3, 3]
    assert files(tmp_path / "0") == files(tmp_path / "2")


def test_a_second_time_finds_everything(tmp_path, three):
    plan = plan_in(tmp_path / "store")
    first = extract(three, plan, Place(workers=0))
    before = files(tmp_path / "store")
    second = extract(three, plan, Place(workers=2))
    assert (first.encoded, first.reused, second.encoded, second.reused) == (3, 0, 0, 3)
    assert files(tmp_path / "store") == before
    assert first.bags.keys() == second.bags.keys()


def test_what_is_missing_is_made_again_to_the_same_byte(tmp_path, three):
    plan = plan_in(tmp_path / "store")
    extract(three, plan, Place(workers=0))
    before = files(tmp_path / "store")
    next((tmp_path / "store").rglob("*.safetensors")).unlink()
    again = extract(three, plan, Place(workers=0))
    assert (again.encoded, again.reused) == (1, 2)
    assert files(tmp_path / "store") == before


@pytest.mark.parametrize("workers", [0, 2])
def test_equal_contents_are_encoded_once(tmp_path, workers):
    one = draw(tmp_path / "one.png")
    copies = [shutil.copy(one, tmp_path / f"copy{i}.png") for i in range(3)]
    images = [tile(one), *(tile(path) for path in copies)]
    cohort = cohort_of(tmp_path, images[:2], images[2:], images[:1])
    found = extract(cohort, plan_in(tmp_path / "store"), Place(workers=workers))
    assert (found.encoded, found.reused, found.failures) == (1, 0, ())
    assert len({found.digests[image.path] for image in images}) == 1
    assert len({tuple(found.keys([image])) for image in images}) == 1
    assert all(found.has(image) for image in images)


def test_an_imposed_spacing_is_another_bag(tmp_path):
    path = draw(tmp_path / "a.png", size_px=(300, 200))
    coarse, fine = (Image(path, "still", 2, mpp=mpp) for mpp in (0.5, 0.25))
    found = extract(cohort_of(tmp_path, [coarse, fine]), plan_in(tmp_path / "s"), Place(workers=0))
    assert found.encoded == 2
    assert found.bag(coarse).values.shape != found.bag(fine).values.shape


@pytest.mark.parametrize("workers", [0, 2])
def test_one_bad_image_costs_one_image(tmp_path, workers):
    good = tile(draw(tmp_path / "good.png"))
    text = tmp_path / "text.png"
    text.write_text("no image")
    cut_off = tmp_path / "cut.png"
    cut_off.write_bytes(good.path.read_bytes()[:-200])
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((400, 400, 3), 255, np.uint8))
    glass = tmp_path / "glass.png"
    cv2.imwrite(str(glass), np.random.default_rng(1).integers(243, 246, (400, 400, 3), np.uint8))
    bad = {
        Image(tmp_path / "gone.png", "tile", 2): "open",
        Image(tmp_path, "tile", 3): "open",
        tile(text): "open",
        tile(cut_off): "open",
        Image(good.path, "slide", 4): "spacing",
        Image(blank, "still", 5, mpp=0.5): "tissue",
        tile(blank): "read",
        Image(glass, "still", 6, mpp=0.5): "tissue",
    }
    cohort = cohort_of(tmp_path, [good, *bad], list(bad)[:1])
    cut = Grid(SIDE, 0.5, {"name": "otsu"})
    found = extract(cohort, plan_in(tmp_path / "store", cut), Place(workers=workers))
    told = [(f.case, f.patient, f.path, f.stage) for f in found.failures]
    expected = [("c0", "p0", image.path, stage) for image, stage in bad.items()]
    assert told == [*expected, ("c1", "p1", tmp_path / "gone.png", "open")]
    assert all(str(f.path) in f.reason for f in found.failures)
    assert all(("one value" in f.reason) == (f.path == blank) for f in found.failures)
    assert found.encoded == 1
    assert found.has(good)
    missing = next(iter(bad))
    assert (found.bag(missing), found.instances(missing), found.size_px(missing)) == (None, 0, None)
    assert found.keys([missing, good]) == found.keys([good])


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="rights do not bind here")
def test_a_file_without_rights(tmp_path):
    image = tile(draw(tmp_path / "a.png"))
    image.path.chmod(0)
    found = extract(cohort_of(tmp_path, [image]), plan_in(tmp_path / "s"), Place(workers=0))
    assert found.failures[0].stage == "open"


def test_an_encoder_that_cannot_is_stage_encode(tmp_path):
    # the colour statistics refuse tiles below 32 px
    image = tile(draw(tmp_path / "a.png"))
    found = extract(
        cohort_of(tmp_path, [image]), plan_in(tmp_path / "s", Whole(16)), Place(workers=0)
    )
    assert [f.stage for f in found.failures] == ["encode"]
    assert found.encoded == 0


def test_magnification_stands_in_for_a_missing_scale_only(tmp_path):
    path = draw(tmp_path / "a.png")
    known, bare = tile(path, mpp=0.5, magnification=40.0), tile(path)
    powers = [replace(bare, magnification=m) for m in (40.0, 100.0)]
    found = extract(
        cohort_of(tmp_path, [known, bare, *powers]), plan_in(tmp_path / "s"), Place(workers=0)
    )
    assert found.bag(known).scale.item() == pytest.approx(0.5 * 130 / SIDE)
    assert np.isnan(found.bag(bare).scale.item())
    assert [found.bag(image).scale.item() for image in powers] == [40.0, 100.0]
    assert found.encoded == 2
    assert len(set(found.keys([known, bare, *powers]))) == 4


def test_other_cuts_and_kinds_do_not_meet(tmp_path):
    path = draw(tmp_path / "a.png")
    kinds = [tile(path), Image(path, "still", 2)]
    cohort = cohort_of(tmp_path, kinds)
    extract(cohort, plan_in(tmp_path / "store"), Place(workers=0))
    extract(cohort, plan_in(tmp_path / "store", Whole(SIDE // 2)), Place(workers=0))
    assert len(list((tmp_path / "store").glob("*/settings.json"))) == 4
    assert len(list((tmp_path / "store").rglob("*.safetensors"))) == 4


def test_glances_agree_with_the_bag(tmp_path, three):
    found = extract(three, plan_in(tmp_path / "store"), Place(workers=0))
    for image in images_of(three):
        assert found.instances(image) == len(found.bag(image)) == 1
        assert found.size_px(image) == (100, 130)
    travelled = pickle.loads(pickle.dumps(found))
    assert travelled.keys(images_of(three)) == found.keys(images_of(three))
    assert (found.width, found.identity) == (COLOUR.build().width, COLOUR.build().identity)


def test_a_wrong_encoder_is_told_before_the_work(tmp_path, three):
    for spec, kind in [(EncoderSpec("resnet50"), WeightsError), (EncoderSpec("colr"), RecipeError)]:
        with pytest.raises(kind):
            extract(three, Plan(Whole(SIDE), spec, tmp_path / "store"), Place(workers=0))
    assert not (tmp_path / "store").exists()


@pytest.mark.data
def test_real_slides(shared, tmp_path):
    folder = shared / "data/wsi-small/slides"
    names = ["CMU-1-Small-Region.svs", "TCGA-XK-AAJU-01A-01-TS1_small.dcm"]
    good, refused = (Image(folder / name, "slide", 2) for name in names)
    plan = plan_in(tmp_path / "store", Grid(224, 1.0, {"name": "otsu"}))
    found = extract(cohort_of(tmp_path, [good, refused]), plan, Place(workers=0))
    assert [(f.path.name, f.stage) for f in found.failures] == [(names[1], "spacing")]
    bag = found.bag(good)
    assert bag.facts["spacing_um"] == "0.499"
    assert 5 < len(bag) <= (2220 // 449) * (2967 // 449)
    assert found.size_px(good) == (2220, 2967)
    assert set(found.seconds) == {"open", "cut", "read", "transform", "encode", "write", "total"}


@pytest.mark.slow
@pytest.mark.data
def test_real_weights_in_workers(shared, tmp_path):
    folder = shared / "data/lc25000-lung/lung_aca"
    images = [tile(path) for path in sorted(folder.glob("*.jpeg"))[:3]]
    file = shared / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
    spec = EncoderSpec("mobilenetv2_100", {"weights": str(file)})
    found = [
        extract(
            cohort_of(tmp_path, images), Plan(Whole(224), spec, tmp_path / str(n)), Place(workers=n)
        )
        for n in (0, 1)
    ]
    assert [e.bag(images[0]).values.shape for e in found] == [(1, 1280)] * 2
    assert files(tmp_path / "0") == files(tmp_path / "1")
