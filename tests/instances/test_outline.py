"""The outline: out to QuPath's GeoJSON and back to the same mask; pictures of it."""

import json
import pickle

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.core.errors import NoTissueError, SourceError
from wholecase.core.geojson import Polygon, read_polygons
from wholecase.instances import (
    Classical,
    Grid,
    Tissue,
    Whole,
    tissue_geojson,
    tissue_picture,
)
from wholecase.instances.polygons import filled, traced
from wholecase.phantoms.stained import draw_stained
from wholecase.sources import open_source


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


def ring(x, y, width, height):
    return ((x, y), (x + width, y), (x + width, y + height), (x, y + height))


@pytest.fixture
def outlined(tmp_path):
    def write(*polygons):
        path = tmp_path / "tissue.geojson"
        coordinates = [[[*ring, ring[0]] for ring in polygon] for polygon in polygons]
        path.write_text(json.dumps({"type": "MultiPolygon", "coordinates": coordinates}))
        return path

    return write


@pytest.fixture
def drawn():
    slide = draw_stained("h&e", 1)
    return Tissue(Classical()(slide.pixels, 8.0), slide.pixels, 16.0, 8.0)


def test_a_mask_comes_back_from_its_geojson(drawn, tmp_path):
    path = tmp_path / "a.geojson"
    path.write_text(tissue_geojson(drawn))
    back = filled(read_polygons(path), drawn.mask.shape, drawn.downsample)
    assert iou(back, drawn.mask) > 0.98


@given(
    seed=st.integers(0, 10_000),
    downsample=st.sampled_from([1.0, 3.7, 16.0, 31.9]),
)
@settings(max_examples=30)
def test_any_mask_of_blobs_with_holes_comes_back(seed, downsample):
    noise = np.random.default_rng(seed).normal(size=(160, 200)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 8) > 0
    back = filled(traced(mask, downsample), mask.shape, downsample)
    assert iou(back, mask) > 0.98


def test_polygons_lie_where_the_tissue_does_in_level_0_pixels():
    mask = np.zeros((50, 60), bool)
    mask[10:30, 20:40] = True
    mask[15:20, 25:35] = False
    (polygon,) = traced(mask, 8.0)
    outer, hole = np.array(polygon.outer), np.array(polygon.holes[0])
    assert np.abs(outer.min(0) - [160, 80]).max() <= 4  # half a pixel of the mask
    assert np.abs(outer.max(0) - [320, 240]).max() <= 4
    assert np.abs(hole.min(0) - [200, 120]).max() <= 4
    assert np.abs(hole.max(0) - [280, 160]).max() <= 4


def test_qupath_gets_closed_rings_and_a_class(drawn):
    features = json.loads(tissue_geojson(drawn))["features"]
    assert features
    for feature in features:
        assert feature["properties"]["classification"]["name"] == "Tissue"
        for line in feature["geometry"]["coordinates"]:
            assert line[0] == line[-1]
            assert len(line) >= 4


def test_holes_stay_open_and_islands_in_holes_come_back():
    lake = Polygon(ring(0, 0, 80, 80), (ring(16, 16, 48, 48),))
    island = Polygon(ring(32, 32, 16, 16))
    mask = filled((lake, island), (10, 10), 8.0)
    assert mask[4, 4]
    assert not mask[3, 3]
    assert mask[0].all()


def test_corners_far_outside_do_no_harm():
    mask = filled((Polygon(ring(-1e9, -1e9, 2e9, 2e9)),), (10, 12), 4.0)
    assert mask.all()


def test_the_picture_is_small_and_shows_the_outline(drawn):
    picture = tissue_picture(drawn)
    assert max(picture.shape) == 320
    plain = tissue_picture(Tissue(drawn.mask & False, drawn.pixels, 16.0, 8.0))
    assert 300 < (picture != plain).any(axis=2).sum() < 6000
    tiny = Tissue(np.ones((20, 30), bool), np.zeros((20, 30, 3), np.uint8), 2.0, 8.0)
    assert tissue_picture(tiny).shape == (20, 30, 3)


def test_an_outline_goes_before_the_mask(write_slide, stained, outlined):
    """Squares are those of the drawn rectangle, though the stain lies elsewhere."""
    path = outlined((ring(200, 1000, 600, 400),))
    with open_source(write_slide(stained), "slide") as source:
        for tissue in (None, {"name": "classical", "least": 0.9}):
            found = Grid(side_px=100, tissue=tissue)(source, path)
            corners = {tuple(box) for box in found.box_px[:, :2].tolist()}
            assert corners == {(x, y) for x in range(200, 800, 100) for y in range(1000, 1400, 100)}
            assert found.tissue.mask.mean() == pytest.approx(600 * 400 / 2100 / 1500, rel=0.1)


def test_a_hole_of_an_outline_is_not_cut(write_slide, stained, outlined):
    path = outlined((ring(0, 0, 1000, 1000), ring(300, 300, 400, 400)))
    with open_source(write_slide(stained), "slide") as source:
        found = Grid(side_px=100, tissue={"name": "otsu", "least": 0.5})(source, path)
    assert len(found) == 100 - 16


def test_the_outline_that_was_written_gives_the_same_squares(write_slide, stained, tmp_path):
    path = tmp_path / "tissue.geojson"
    with open_source(write_slide(stained), "slide") as source:
        cut = Grid(side_px=64, tissue={"name": "classical", "least": 0.5})
        found = cut(source)
        path.write_text(tissue_geojson(found.tissue))
        again = cut(source, path)
    assert len(set(map(tuple, found.box_px)) ^ set(map(tuple, again.box_px))) <= 4
    assert iou(found.tissue.mask, again.tissue.mask) > 0.98


def test_an_outline_beside_the_image_holds_no_tissue_and_shows_why(write_slide, stained, outlined):
    path = outlined((ring(5000, 5000, 100, 100),))
    with (
        open_source(write_slide(stained), "slide") as source,
        pytest.raises(NoTissueError, match=r"most: 0%.*outline the tissue") as told,
    ):
        Grid(side_px=100)(source, path)
    again = pickle.loads(pickle.dumps(told.value))
    assert str(again) == str(told.value)
    assert np.array_equal(again.picture, told.value.picture)
    assert again.picture.dtype == np.uint8
    assert max(again.picture.shape) <= 320


def test_a_missing_outline_costs_the_image(write_slide, stained, tmp_path):
    with (
        open_source(write_slide(stained), "slide") as source,
        pytest.raises(SourceError, match=r"none\.geojson: the outline cannot be read"),
    ):
        Grid()(source, tmp_path / "none.geojson")


def test_a_whole_image_has_no_use_for_an_outline(write_slide, stained, outlined):
    with open_source(write_slide(stained), "slide") as source:
        found = Whole()(source, outlined((ring(0, 0, 10, 10),)))
    assert found.box_px.tolist() == [[0, 0, 2100, 1500]]
    assert found.tissue is None
