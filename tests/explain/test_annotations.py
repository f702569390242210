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
    told = json.loads(attention_geojson(evidence, scale="rank"))
    assert told["type"] == "FeatureCollection"
    first = told["features"][0]
    assert first["properties"]["measurements"] == {"attention": 0.5, "rank": 1.0, "evidence": -0.2}
    ring = first["geometry"]["coordinates"][0]
    assert ring[0] == ring[-1] == [448, 0]
    assert [max(p[0] for p in ring), max(p[1] for p in ring)] == [896, 448]
    # viridis: the greatest is yellow, the least dark violet
    red, green, blue = first["properties"]["color"]
    assert red > 200
    assert green > 200
    assert blue < 80
    assert [f["properties"]["measurements"]["attention"] for f in told["features"]] == [
        0.5,
        0.3,
        0.2,
    ]
    assert len({tuple(f["properties"]["color"]) for f in told["features"]}) == 3
    # of a class, QuPath knows one colour
    assert len({json.dumps(f["properties"]["classification"]) for f in told["features"]}) == 1


def test_a_viewer_may_count_from_elsewhere() -> None:
    evidence = Evidence(
        weights=np.ones((1, 1)),
        scores=np.zeros((1, 1)),
        image=np.zeros(1, np.int64),
        box_px=np.array([[700, 300, 256, 200]]),
        position_um=np.zeros((1, 3), np.float32),
        logits=np.zeros((1, 3)),
    )
    told = json.loads(attention_geojson(evidence, origin_px=(500, 250)))
    corners = [[200, 50], [456, 50], [456, 250], [200, 250], [200, 50]]
    assert told["features"][0]["geometry"]["coordinates"] == [corners]
    assert set(told["features"][0]["properties"]["measurements"]) == {
        "attention",
        "rank",
        "evidence 0",
        "evidence 1",
        "evidence 2",
    }
