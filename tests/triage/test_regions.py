"""Regions run along their cells: no area is lost, none is added."""

import json

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wholecase.core.geojson import Polygon, read_polygons
from wholecase.triage.regions import regions, regions_geojson

shapes = st.tuples(st.integers(1, 9), st.integers(1, 9))


def edges_of(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Uneven ones, as rounding makes them."""
    return tuple(np.rint(np.arange(n + 1) * 10.6).astype(np.int64) for n in shape)


def areas_of(edges: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    return np.outer(*(np.diff(edge) for edge in edges)).astype(np.float64)


def area(polygon: Polygon) -> float:
    def of(ring: tuple) -> float:
        x, y = np.array(ring, float).T
        return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2

    return of(polygon.outer) - sum(of(hole) for hole in polygon.holes)


@given(arrays(np.float32, shapes, elements=st.sampled_from([0.0, 0.3, 0.5, 0.75, 1.0, np.nan])))
def test_regions_are_the_cells_above_the_threshold(grid: np.ndarray) -> None:
    edges = edges_of(grid.shape)
    areas = areas_of(edges)
    found = regions(grid, edges, areas, 0.5)
    above = np.nan_to_num(grid, nan=0.0) > 0.5
    assert sum(region.area_mm2 for region in found) == pytest.approx(areas[above].sum())
    assert sum(region.windows for region in found) == above.sum()
    drawn = np.zeros((edges[0][-1], edges[1][-1]), int)
    for region in found:
        assert area(region.outline) == pytest.approx(region.area_mm2)
        drawn += painted(region.outline, drawn.shape)
    wanted = np.repeat(np.repeat(above, np.diff(edges[0]), 0), np.diff(edges[1]), 1)
    np.testing.assert_array_equal(drawn, wanted)


def painted(polygon: Polygon, shape: tuple[int, int]) -> np.ndarray:
    """By the even-odd rule at the middle of each pixel, as slow as it is plain."""
    inside = np.zeros(shape, bool)
    x = np.arange(shape[1])[None] + 0.5
    y = np.arange(shape[0])[:, None] + 0.5
    for ring in (polygon.outer, *polygon.holes):
        for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True):
            if ax == bx:
                inside ^= (y > min(ay, by)) & (y < max(ay, by)) & (x < ax)
    return inside.astype(int)


@given(arrays(bool, shapes))
def test_no_line_meets_itself(mask: np.ndarray) -> None:
    edges = edges_of(mask.shape)
    for region in regions(mask.astype(np.float32), edges, areas_of(edges), 0.5):
        for ring in (region.outline.outer, *region.outline.holes):
            assert len(set(ring)) == len(ring) >= 4
            for (ax, ay), (bx, by) in zip(ring, (*ring[1:], ring[0]), strict=True):
                assert (ax == bx) != (ay == by)


def test_the_means_are_those_of_the_cells() -> None:
    grid = np.array([[0.9, 0.7, 0.1, 0.6], [np.nan, 0.2, 0.8, 0.1]], np.float32)
    edges = edges_of(grid.shape)
    first, *rest = regions(grid, edges, areas_of(edges), 0.5)
    assert (first.windows, len(rest)) == (2, 2)  # cells that touch by a corner are two regions
    assert first.mean == pytest.approx(0.8)
    assert first.most == pytest.approx(0.9)
    assert {round(region.mean, 3) for region in rest} == {0.6, 0.8}


def test_the_file_opens_again_with_its_measurements(tmp_path) -> None:
    ring = np.ones((5, 6), np.float32)
    ring[2, 2:4] = 0.0
    edges = edges_of(ring.shape)
    found = regions(ring, edges, areas_of(edges) * 1e-6, 0.5)
    path = tmp_path / "regions.geojson"
    path.write_text(regions_geojson(found, "tumor"))
    (polygon,) = read_polygons(path)
    assert len(polygon.holes) == 1
    (feature,) = json.loads(path.read_text())["features"]
    assert feature["properties"]["classification"]["name"] == "tumor"
    told = feature["properties"]["measurements"]
    assert told["area_mm2"] == pytest.approx(area(polygon) * 1e-6)
    assert told["mean_probability"] == 1.0
    assert told["windows"] == 28
    mask = np.zeros((60, 70), np.uint8)
    lines = [np.array(r, np.int32) for r in (polygon.outer, *polygon.holes)]
    assert cv2.fillPoly(mask, lines, 1)[15, 15] == 1
    assert mask[26, 30] == 0


def test_a_map_without_tumour_has_an_empty_file() -> None:
    grid = np.full((3, 4), 0.2, np.float32)
    edges = edges_of(grid.shape)
    found = regions(grid, edges, areas_of(edges), 0.5)
    assert json.loads(regions_geojson(found, "tumor"))["features"] == []
