"""Where a map of probabilities exceeds a threshold, as annotations that QuPath opens."""

import json
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Int64

from wholecase.core.geojson import Polygon, write_polygons
from wholecase.explain.outlines import labelled, outlined

COLOUR = (213, 94, 0)
"""Vermilion, which the colour-blind tell from stain and from green (Okabe & Ito 2008)."""


@dataclass(frozen=True)
class Region:
    """Neighbouring cells above the threshold."""

    outline: Polygon
    """Along the cells, in level-0 pixels."""
    windows: int
    mean: float
    """Probability over its cells."""
    most: float
    area_mm2: float
    """Of its cells, holes not included."""


def regions(
    grid: Float[np.ndarray, "rows columns"],
    edges: tuple[Int64[np.ndarray, " rows_1"], Int64[np.ndarray, " columns_1"]],
    areas_mm2: Float64[np.ndarray, "rows columns"],
    threshold: float,
) -> tuple[Region, ...]:
    """The regions of a map, the largest first.

    Args:
        grid: a probability per cell, nan where nothing was judged.
        edges: where rows and columns begin and end, in level-0 pixels.
        areas_mm2: of the cells.
        threshold: what a cell of a region exceeds.
    """
    labels, count = labelled(np.nan_to_num(grid, nan=-1.0) > threshold)
    found = []
    for number, (rows, columns) in enumerate(_boxes(labels, count), start=1):
        own = labels[rows, columns] == number
        values = grid[rows, columns][own].astype(np.float64)
        part = edges[0][rows.start : rows.stop + 1], edges[1][columns.start : columns.stop + 1]
        area = float(areas_mm2[rows, columns][own].sum())
        line = outlined(own, part)
        found.append(Region(line, len(values), float(values.mean()), float(values.max()), area))
    return tuple(sorted(found, key=lambda region: -region.area_mm2))


def regions_geojson(found: tuple[Region, ...], name: str) -> str:
    """A FeatureCollection: an annotation of class `name` per region, with its measurements."""
    written = json.loads(write_polygons((region.outline for region in found), name, COLOUR))
    for feature, region in zip(written["features"], found, strict=True):
        feature["properties"]["measurements"] = {
            "mean_probability": region.mean,
            "highest_probability": region.most,
            "area_mm2": region.area_mm2,
            "windows": region.windows,
        }
    return json.dumps(written, separators=(",", ":"), allow_nan=False) + "\n"


def _boxes(labels: np.ndarray, count: int) -> list[tuple[slice, slice]]:
    """Rows and columns that each label spans."""
    from scipy.ndimage import find_objects

    boxes: list[tuple[slice, slice]] = find_objects(labels, max_label=count)
    return boxes
