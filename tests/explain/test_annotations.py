"""Attention as QuPath reads it."""

import json

import numpy as np

from wholecase.explain import Evidence, attention_geojson


def test_every_tile_is_a_square_with_its_numbers() -> None:
    evidence = Evidence(
        weights=np.array([[0.2], [0.5], [0.3]]),
        scores=np.zeros((3, 1)),
        image=np.zeros(3, np.int64),
        box_px=np.array([[0, 0, 448, 448], [448, 0, 448, 448], [0, 448, 448, 448]]),
        position_um=np.zeros((3, 3), np.float32),
        logits=np.array([[0.1], [-0.2], [0.0]]),
    )
    told = json.loads(attention_geojson(evidence))
    assert told["type"] == "FeatureCollection"
    first = told["features"][0]
    assert first["properties"]["measurements"] == {"attention": 0.5, "rank": 1.0, "evidence": -0.2}
    ring = first["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1] == [448, 0]
    assert [max(p[0] for p in ring), max(p[1] for p in ring)] == [896, 448]
    # viridis: the greatest is yellow, the least dark violet
    red, green, blue = first["properties"]["classification"]["color"]
    assert red > 200
    assert green > 200
    assert blue < 80
    assert [f["properties"]["measurements"]["attention"] for f in told["features"]] == [
        0.5,
        0.3,
        0.2,
    ]
