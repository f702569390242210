"""Attention as GeoJSON that QuPath opens: one coloured square per tile, with its numbers."""

import json
from typing import Any

import numpy as np

from wholecase.explain.colours import colours
from wholecase.explain.evidence import Evidence
from wholecase.explain.heatmap import AUTO, SCALES, shown

CLASS_COLOUR = (253, 231, 37)
"""QuPath keeps one colour per class; the colour of each square is its own, and goes before it."""


def attention_geojson(
    evidence: Evidence, *, scale: str = AUTO, origin_px: tuple[int, int] = (0, 0)
) -> str:
    """A FeatureCollection in level-0 pixels of one image, the greatest weight first.

    `origin_px` is where a viewer that cuts empty borders off begins to count. Each square is a
    detection with the measurements `attention` (its weight), `rank` (0 to 1) and, where the model
    says something of single instances, `evidence` per class.
    """
    weights = evidence.weights.mean(1).astype(np.float64)
    ranks = SCALES["rank"](weights).values
    values, scale = shown(evidence, scale)
    heat = SCALES[scale](values)
    painted = colours(heat.values, heat.palette)
    measures = [
        {"attention": w, "rank": r} for w, r in zip(weights.tolist(), ranks.tolist(), strict=True)
    ]
    features = [
        _feature(evidence, i, measures[i], painted[i].tolist(), origin_px)
        for i in np.argsort(-weights, kind="stable").tolist()
        if evidence.box_px[i, 2:].all()  # imported features may not know how large their tiles are
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}) + "\n"


def _feature(
    evidence: Evidence,
    index: int,
    measures: dict[str, float],
    colour: list[int],
    origin_px: tuple[int, int],
) -> dict[str, Any]:
    x, y, width, height = evidence.box_px[index].tolist()
    x, y = x - origin_px[0], y - origin_px[1]
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    said = evidence.logits[index].tolist()
    names = ["evidence"] if len(said) == 1 else [f"evidence {c}" for c in range(len(said))]
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]},
        "properties": {
            "objectType": "detection",
            "color": colour,
            "classification": {"name": "attention", "color": list(CLASS_COLOUR)},
            "measurements": {**measures, **dict(zip(names, said, strict=True))},
        },
    }
