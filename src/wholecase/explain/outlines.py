"""Areas of a raster as polygons that run along its cells, exact to the corner."""

from collections import defaultdict

import numpy as np
from jaxtyping import Bool, Int32, Int64

from wholecase.core.geojson import Polygon, Ring

Point = tuple[int, int]
"""Column and row of a corner of the raster."""
_Open = dict[Point, list[Point]]


def outlined(
    area: Bool[np.ndarray, "r c"],
    edges: tuple[Int64[np.ndarray, " rows_1"], Int64[np.ndarray, " columns_1"]],
) -> Polygon:
    """One connected area as its outer line and the holes in it.

    Args:
        area: cells that share sides; those that touch by a corner only are not connected.
        edges: where its rows and columns begin and end, in the pixels of the result.
    """
    rings = [_corners(ring, edges) for ring in _rings(_sides(area))]
    (outer,) = (ring for ring in rings if _doubled_area(ring) > 0)  # holes run the other way
    return Polygon(outer, tuple(ring for ring in rings if ring is not outer))


def labelled(mask: Bool[np.ndarray, "r c"]) -> tuple[Int32[np.ndarray, "r c"], int]:
    """The number of the area that each cell belongs to, 0 for none; and how many there are."""
    import cv2

    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    return np.asarray(labels, np.int32), count - 1


def _sides(mask: Bool[np.ndarray, "r c"]) -> _Open:
    """Where one may go from each corner, with the area on the right hand (y runs down)."""
    around = np.pad(mask, 1)
    leads: _Open = defaultdict(list)
    for (dy, dx), start, end in (
        ((-1, 0), (0, 0), (1, 0)),  # above: from left to right
        ((0, 1), (1, 0), (1, 1)),  # on the right: down
        ((1, 0), (1, 1), (0, 1)),  # below: from right to left
        ((0, -1), (0, 1), (0, 0)),  # on the left: up
    ):
        beside = around[1 + dy : 1 + dy + mask.shape[0], 1 + dx : 1 + dx + mask.shape[1]]
        rows, columns = np.nonzero(mask & ~beside)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            leads[(x + start[0], y + start[1])].append((x + end[0], y + end[1]))
    return leads


def _rings(leads: _Open) -> list[list[Point]]:
    rings = []
    while leads:
        start = next(iter(leads))
        ring, at = [start], _taken(leads, start, None)
        while at != start:
            ring.append(at)
            at = _taken(leads, at, ring[-2])
        rings.append(ring)
    return rings


def _taken(leads: _Open, at: Point, before: Point | None) -> Point:
    """The next corner. Where two cells touch by one, both lines keep to the gap on their left.

    Lines then touch in single corners and never cross, as readers of GeoJSON ask for.
    """
    ways = leads[at]
    if len(ways) == 1 or before is None:
        chosen = ways.pop()
    else:
        dx, dy = at[0] - before[0], at[1] - before[1]
        left = at[0] + dy, at[1] - dx
        chosen = left if left in ways else ways[0]
        ways.remove(chosen)
    if not ways:
        del leads[at]
    return chosen


def _corners(
    ring: list[Point],
    edges: tuple[Int64[np.ndarray, " rows_1"], Int64[np.ndarray, " columns_1"]],
) -> Ring:
    rows, columns = edges
    turns = [
        here
        for before, here, after in zip(
            ring[-1:] + ring[:-1], ring, ring[1:] + ring[:1], strict=True
        )
        if not before[0] == here[0] == after[0] and not before[1] == here[1] == after[1]
    ]
    return tuple((int(columns[x]), int(rows[y])) for x, y in turns)


def _doubled_area(ring: Ring) -> float:
    """Positive where the area lies on the right hand, with y running down."""
    following = (*ring[1:], ring[0])
    return float(sum(x * v - u * y for (x, y), (u, v) in zip(ring, following, strict=True)))
