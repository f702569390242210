"""Which slices of a series decide, in which order, and where they lie."""

from dataclasses import replace

import numpy as np
import pytest

from wholecase.explain import Evidence, class_shown, has_slices, slices_said, thinned
from wholecase.explain.series_sheet import CELL_PX, DECIDES, FRAME_PX, SAYS, series_sheet


def series(weights: list[float], alone: list[float] | None = None, mm: float = 5.0) -> Evidence:
    count = len(weights)
    planes = np.arange(count)
    position = np.full((count, 3), 1000.0, np.float32)
    position[:, 2] = 1000 * mm * planes
    return Evidence(
        weights=np.array(weights, np.float64)[:, None],
        scores=np.zeros((count, 1)),
        image=np.zeros(count, np.int64),
        box_px=np.tile([0, 0, 20, 10], (count, 1)),
        position_um=position,
        logits=np.zeros((count, 0)),
        plane=planes,
        alone=None if alone is None else np.stack([1 - np.array(alone), alone], 1),
    )


def test_slices_that_decide_come_first_and_then_the_most_suspicious() -> None:
    said = slices_said(series([0, 0.5, 0.5, 0, 0], [0.3, 0.6, 0.7, 0.1, 0.4]))
    assert [one.rank for one in said] == [4, 2, 1, 5, 3]
    assert [one.decides for one in said] == [False, True, True, False, False]
    assert said[2].probability == pytest.approx(0.7)
    assert said[2].place == "slice 3 of 5, at 10.0 mm"


def test_without_probabilities_the_weights_alone_order() -> None:
    said = slices_said(series([0.2, 0.5, 0.3]))
    assert [one.rank for one in said] == [3, 1, 2]
    assert {one.probability for one in said} == {None}


def test_pictures_that_are_each_a_slice_are_numbered_over_the_case() -> None:
    drawn = series([0, 1, 0], [0.1, 0.9, 0.2])
    apart = replace(drawn, image=np.arange(3), plane=None, position_um=np.zeros((3, 3), np.float32))
    assert has_slices(apart)
    assert [one.place for one in slices_said(apart)] == [f"slice {n} of 3" for n in (1, 2, 3)]


def test_slices_of_several_series_are_numbered_within_each() -> None:
    drawn = replace(
        series([0, 0, 1, 0, 0]), image=np.array([0, 0, 1, 1, 1]), plane=np.array([0, 1, 0, 1, 2])
    )
    assert has_slices(drawn)
    assert slices_said(drawn)[2].place == "slice 1 of 3 of series 2, at 10.0 mm"


def test_tiles_and_a_lone_image_are_no_series() -> None:
    tiles = replace(series([0.5, 0.5]), plane=None)
    assert not has_slices(replace(tiles, box_px=np.array([[0, 0, 9, 9], [9, 0, 9, 9]])))
    assert not has_slices(series([1.0]))


def test_of_several_classes_the_one_that_the_deciders_speak_for_is_shown() -> None:
    alone = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1]])
    assert class_shown(replace(series([0, 1]), alone=alone)) == 1
    assert class_shown(replace(series([1, 0]), alone=alone)) == 2


def test_a_slice_that_no_view_shows_comes_last() -> None:
    said = slices_said(series([0, 1, 0], [np.nan, 0.9, 0.0]))
    assert (said[0].rank, said[0].probability) == (3, None)


def test_a_long_series_is_thinned_and_keeps_who_decides() -> None:
    weights = np.zeros(301)
    weights[[17, 200]] = 0.5
    shown = thinned(slices_said(series(weights.tolist())))
    numbers = [one.number for one in shown]
    assert len(numbers) <= 48
    assert numbers == sorted(numbers)
    assert {1, 18, 201, 301} <= set(numbers)
    assert max(np.diff(numbers)) <= 8


def test_the_sheet_has_a_bar_as_long_as_the_probability() -> None:
    said = slices_said(series([0, 1], [0.25, 0.75]))
    picture = np.full((CELL_PX, CELL_PX, 3), (9, 99, 9), np.uint8)
    sheet = series_sheet("case", [(one, picture) for one in said], "metastasis", 500.0)
    side = CELL_PX + 2 * FRAME_PX
    for colour, length in ((SAYS, 0.25 * side), (DECIDES, 0.75 * side)):
        hits = (sheet == colour).all(-1)
        bar = hits.sum(1)[side + 40 : side + 60]
        assert round(length) in bar.tolist()
    assert (sheet == (9, 99, 9)).all(-1).sum() == 2 * CELL_PX**2
