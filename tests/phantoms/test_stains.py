"""Stain amounts and colours."""

import numpy as np
import pytest

from wholecase.core.seeds import generator
from wholecase.phantoms.stains import (
    EOSIN_UNIT,
    HAEMATOXYLIN_UNIT,
    Planes,
    draw_stain,
    match_colour,
    transmit,
)


@pytest.fixture
def stain():
    return draw_stain(*(generator(1, name) for name in ("laboratory", "day", "slide")))


def test_light_follows_beer_and_lambert(stain):
    rng = generator(2)
    planes = Planes(*rng.integers(0, 200, (2, 40, 30), dtype=np.uint8))
    h = planes.haematoxylin[..., None] * HAEMATOXYLIN_UNIT * stain.strength[0]
    e = planes.eosin[..., None] * EOSIN_UNIT * stain.strength[1]
    expected = 255 * 10 ** -(h * stain.haematoxylin + e * stain.eosin)
    assert np.abs(transmit(planes, stain) - expected).max() < 2


def test_matching_brings_unlike_patterns_to_one_mean_colour(stain):
    rng = generator(3)
    inside = np.zeros((120, 120), np.uint8)
    inside[10:100, 20:110] = 255
    means = []
    for dots in (0.05, 0.4):
        sparse = (rng.random((120, 120)) < dots) * 130 + 40
        planes = Planes(sparse.astype(np.uint8), rng.integers(60, 110, (120, 120), dtype=np.uint8))
        match_colour(planes, inside, stain, (0.42, 0.22))
        means.append(transmit(planes, stain)[inside > 0].mean(0))
    assert np.abs(means[0] - means[1]).max() < 4
    film = 10 ** -(
        0.42 * stain.strength[0] * stain.haematoxylin + 0.22 * stain.strength[1] * stain.eosin
    )
    assert np.abs(means[0] - 255 * film).max() < 6


def test_bare_glass_is_white(stain):
    assert (transmit(Planes.empty((3, 4)), stain) == 255).all()
