"""Outlines: all forms in which they come, and a sentence for those that are none."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import SourceError
from wholecase.core.geojson import Polygon, read_polygons, write_polygons

SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
HOLED = [*SQUARE, [[2, 2], [4, 2], [4, 4], [2, 2]]]
READ = Polygon(((0, 0), (10, 0), (10, 10), (0, 10)))


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "a.geojson"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def feature(geometry):
    return {"type": "Feature", "geometry": geometry, "properties": {"objectType": "annotation"}}


def polygon(coordinates):
    return {"type": "Polygon", "coordinates": coordinates}


@pytest.mark.parametrize(
    "content",
    [
        polygon(SQUARE),
        {"type": "MultiPolygon", "coordinates": [SQUARE]},
        {"type": "GeometryCollection", "geometries": [polygon(SQUARE)]},
        feature(polygon(SQUARE)),
        {"type": "FeatureCollection", "features": [feature(polygon(SQUARE))]},
        [feature(polygon(SQUARE))],
        [feature(None), feature({"type": "Point", "coordinates": [1, 2]}), polygon(SQUARE)],
        polygon([[[0, 0, 5], [10, 0, 5], [10, 10, 5], [0, 10, 5]]]),
    ],
)
def test_every_form_holds_the_same_square(file, content):
    assert read_polygons(file(content)) == (READ,)


def test_holes_stay_with_their_polygon(file):
    content = {"type": "MultiPolygon", "coordinates": [HOLED, SQUARE]}
    first, second = read_polygons(file(content))
    assert first == Polygon(READ.outer, (((2, 2), (4, 2), (4, 4)),))
    assert second == READ


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is no JSON"),
        ("", "is no JSON"),
        ("[]", "holds no area"),
        ({"type": "FeatureCollection", "features": []}, "holds no area"),
        ({"type": "Point", "coordinates": [1, 2]}, "holds no area"),
        ({"features": []}, "the file is of no known type"),
        (7, "the file is of no known type"),
        ([feature({"type": "LineString", "coordinates": []})], "entry 1 is a LineString"),
        (polygon([]), "without corners"),
        (polygon(None), "coordinates that are no list"),
        (polygon([[[0, 0], [1, 1], [0, 0]]]), "fewer than 3 corners"),
        (polygon([[[0, 0], [1, "x"], [2, 2]]]), r'the corner \[1, "x"\]'),
        (polygon([[[0, 0], [1], [2, 2]]]), r"the corner \[1\]"),
        ('{"type": "Polygon", "coordinates": [[[0, 0], [NaN, 1], [2, 2]]]}', "the corner"),
    ],
)
def test_what_is_no_outline_names_file_and_place(file, content, sentence):
    with pytest.raises(SourceError, match=rf"a\.geojson: the outline .*{sentence}"):
        read_polygons(file(content))


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "a.geojson").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SourceError, match="is no JSON"):
        read_polygons(tmp_path / "a.geojson")


def test_a_byte_order_mark_does_no_harm(tmp_path):
    (tmp_path / "a.geojson").write_text(json.dumps(polygon(SQUARE)), encoding="utf-8-sig")
    assert read_polygons(tmp_path / "a.geojson") == (READ,)


numbers = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6)
rings = st.lists(st.tuples(numbers, numbers), min_size=3, max_size=6).filter(
    lambda corners: corners[0] != corners[-1]
)


@given(outer=rings, holes=st.lists(rings, max_size=2))
def test_what_is_written_is_read_back(tmp_path_factory, outer, holes):
    path = tmp_path_factory.mktemp("geojson") / "a.geojson"
    whole = Polygon(tuple(outer), tuple(tuple(hole) for hole in holes))
    path.write_text(write_polygons([whole, READ], "Tissue"))
    assert read_polygons(path) == (whole, READ)
