"""Attention as GeoJSON that QuPath opens: one coloured square per tile, with its numbers."""

import json
from typing import Any

import numpy as np

from wholecase.explain.colours import colours
from wholecase.explain.evidence import Evidence
from wholecase.explain.heatmap import SCALES


def attention_geojson(evidence: Evidence, *, scale: str = "rank") -> str:
    """A FeatureCollection in level-0 pixels of one image, the greatest weight first.

    Each square is a detection with the measurements `attention` (its weight), `rank` (0 to 1) and,
    where the model says something of single instances, `evidence` per class.
    """
    weights = evidence.weights.mean(1).astype(np.float64)
    ranks = SCALES["rank"](weights).values
    painted = colours(SCALES[scale](weights).values)
    features = [
        _feature(evidence, i, float(weights[i]), float(ranks[i]), painted[i].tolist())
        for i in np.argsort(-weights, kind="stable").tolist()
        if evidence.box_px[i, 2:].all()  # imported features may not know how large their tiles are
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}) + "\n"


def _feature(
    evidence: Evidence, index: int, weight: float, rank: float, colour: list[Any]
) -> dict[str, Any]:
    x, y, width, height = evidence.box_px[index].tolist()
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)]
    said = evidence.logits[index].tolist()
    names = ["evidence"] if len(said) == 1 else [f"evidence {c}" for c in range(len(said))]
    told = {"attention": weight, "rank": rank, **dict(zip(names, said, strict=True))}
    return {
        "type": "Feature",
        "geometry": {"type": "Polygon", "coordinates": [[list(corner) for corner in corners]]},
        "properties": {
            "objectType": "detection",
            "classification": {"name": "attention", "color": [int(c) for c in colour[:3]]},
            "measurements": told,
        },
    }
