"""The colours of a map are those of its cells, on one scale for all slides."""

import numpy as np

from wholecase.explain.colours import colours
from wholecase.triage.probability_map import paint_probabilities
from wholecase.triage.regions import COLOUR

THUMBNAIL = np.full((60, 90, 3), (240, 200, 220), np.uint8)
GREY = round(240 * 0.299 + 200 * 0.587 + 220 * 0.114)


def paint(grid: np.ndarray, **options: float) -> np.ndarray:
    told = {"threshold": 1.0, "name": "tumor", "spacing_um": 0.5} | options
    return paint_probabilities(THUMBNAIL, 4.0, grid, 40.0, **told)  # type: ignore[arg-type]


def test_every_pixel_has_the_colour_of_the_cell_under_its_middle() -> None:
    grid = np.random.default_rng(1).random((6, 9)).astype(np.float32)
    grid[1:3, 4] = np.nan
    painted = paint(grid, opacity=1.0)
    for y in range(0, 60, 7):
        for x in range(0, 90, 7):
            value = grid[int((y + 0.5) * 4 / 40), int((x + 0.5) * 4 / 40)]
            wanted = np.full(3, GREY) if np.isnan(value) else colours(np.array(value))
            assert painted[y, x].tolist() == wanted.tolist()


def test_the_scale_does_not_depend_on_the_slide() -> None:
    low, high = np.full((6, 9), 0.1, np.float32), np.full((6, 9), 0.1, np.float32)
    high[0, 0] = 0.9
    np.testing.assert_array_equal(paint(low)[20:60, 20:90], paint(high)[20:60, 20:90])


def test_beyond_the_last_cell_the_slide_is_bare() -> None:
    painted = paint(np.ones((5, 8), np.float32))
    assert (painted[50:60, :90] == GREY).all()
    assert (painted[:60, 80:90] == GREY).all()
    assert not (painted[:50, :80] == GREY).all(axis=2).any()


def test_a_legend_is_below() -> None:
    painted = paint(np.ones((6, 9), np.float32))
    below = painted[60:]
    assert len(below) >= 20
    bar = colours(np.array([0.0, 0.5, 1.0]))
    for colour in bar[[0, 2]]:
        assert (below == colour).all(axis=2).any()


def test_what_counts_is_outlined_and_nothing_else() -> None:
    grid = np.full((6, 9), 0.2, np.float32)
    grid[2:4, 3:6] = 0.8
    grid[0, 8] = np.nan
    painted = paint(grid, threshold=0.5)[:60, :90]
    vermilion = (painted == COLOUR).all(axis=2)
    wanted = np.zeros((60, 90), bool)
    wanted[20:40, 30:60] = True
    wanted[21:39, 31:59] = False
    np.testing.assert_array_equal(vermilion, wanted)


def test_a_region_at_the_edge_of_the_picture_is_closed() -> None:
    painted = paint(np.ones((6, 9), np.float32), threshold=0.5)[:60, :90]
    vermilion = (painted == COLOUR).all(axis=2)
    assert vermilion[0].all()
    assert vermilion[:, 89].all()
    assert not vermilion[1:59, 1:89].any()
