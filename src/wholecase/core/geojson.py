"""Outlines as GeoJSON, the form in which QuPath and others exchange them."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular

Ring = tuple[tuple[float | int, float | int], ...]
"""Corners (x, y) of a closed line; the last joins the first and is not repeated."""


@dataclass(frozen=True)
class Polygon:
    """An area with holes."""

    outer: Ring
    holes: tuple[Ring, ...] = ()


def write_polygons(
    polygons: Iterable[Polygon], name: str, colour: tuple[int, int, int] = (0, 200, 0)
) -> str:
    """A FeatureCollection that QuPath opens: one annotation of class `name` for each polygon.

    >>> text = write_polygons([Polygon(((0, 0), (4, 0), (0, 3)))], "Tissue")
    >>> json.loads(text)["features"][0]["geometry"]["coordinates"]
    [[[0, 0], [4, 0], [0, 3], [0, 0]]]
    """
    properties = {
        "objectType": "annotation",
        "classification": {"name": name, "color": list(colour)},
    }
    features = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[*ring, ring[0]] for ring in (polygon.outer, *polygon.holes)],
            },
            "properties": properties,
        }
        for polygon in polygons
    ]
    collection = {"type": "FeatureCollection", "features": features}
    return json.dumps(collection, separators=(",", ":"), allow_nan=False) + "\n"


def read_polygons(path: Path) -> tuple[Polygon, ...]:
    """All areas of a GeoJSON file: features or bare geometries, one, several or in collections.

    Points have no area and are passed over.

    Raises:
        SourceError: the file is missing, is no GeoJSON, or holds no area; names file and place.
    """
    refuse_irregular(path, SourceError)
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise SourceError(
            f"{path}: the outline cannot be read ({error.strerror}); correct its path"
        ) from error
    except ValueError as error:  # of JSON and of UTF-8
        raise SourceError(
            f"{path}: the outline is no JSON ({error}); export it again as GeoJSON"
        ) from error
    try:
        found = tuple(_polygons(content, "the file"))
    except _MalformedError as error:
        raise SourceError(
            f"{path}: the outline is no GeoJSON of areas: {error}; export it again"
        ) from error
    if not found:
        raise SourceError(
            f"{path}: the outline holds no area; draw one, or take it out of the manifest"
        )
    return found


class _MalformedError(ValueError):
    """What is wrong, and where."""


def _polygons(value: Any, place: str) -> Iterator[Polygon]:  # noqa: ANN401 (whatever JSON holds)
    if isinstance(value, list):  # QuPath also writes plain lists of features
        for i, one in enumerate(value):
            yield from _polygons(one, f"entry {i + 1}")
        return
    kind = value.get("type") if isinstance(value, dict) else None
    if kind in _INSIDE:
        if (inside := value.get(_INSIDE[kind])) is not None:  # a feature may have no geometry
            yield from _polygons(inside, place)
    elif kind in {"Polygon", "MultiPolygon"}:
        coordinates = _listed(value.get("coordinates"), place)
        for one in coordinates if kind == "MultiPolygon" else [coordinates]:
            yield _polygon(one, place)
    elif kind not in {"Point", "MultiPoint"}:
        raise _MalformedError(f"{place} is {_named(kind)}, not a Polygon or MultiPolygon")


_INSIDE = {
    "FeatureCollection": "features",
    "Feature": "geometry",
    "GeometryCollection": "geometries",
}


def _polygon(rings: Any, place: str) -> Polygon:  # noqa: ANN401
    read = [_ring(ring, place) for ring in _listed(rings, place)]
    if not read:
        raise _MalformedError(f"{place} is a polygon without corners")
    return Polygon(read[0], tuple(read[1:]))


def _ring(ring: Any, place: str) -> Ring:  # noqa: ANN401
    corners = [_point(point, place) for point in _listed(ring, place)]
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    if len(corners) < 3:
        raise _MalformedError(f"{place} has a line of fewer than 3 corners")
    return tuple(corners)


def _point(point: Any, place: str) -> tuple[float | int, float | int]:  # noqa: ANN401
    xy = point[:2] if isinstance(point, list) else []
    if len(xy) < 2 or not all(type(v) in {int, float} and isfinite(v) for v in xy):
        raise _MalformedError(f"{place} has the corner {json.dumps(point)[:40]}, not two numbers")
    return float(xy[0]), float(xy[1])


def _listed(value: Any, place: str) -> list[Any]:  # noqa: ANN401
    if not isinstance(value, list):
        raise _MalformedError(f"{place} has coordinates that are no list")
    return value


def _named(kind: Any) -> str:  # noqa: ANN401
    return f"a {kind}" if isinstance(kind, str) else "of no known type"
