import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.explain import tile_map
from wholecase.explain.tile_map import strips, tile_grid


def drawn_by(box_px, values, downsample, shape):
    """All strips as one picture; each row is told once, from the top down."""
    picture, row = np.full(shape, np.inf), 0
    for strip in strips(box_px, values, downsample, shape):
        assert strip.start == row < strip.stop
        picture[strip.start : strip.stop] = strip.values
        row = strip.stop
    assert row == shape[0]
    return picture


def without_grid(monkeypatch):
    monkeypatch.setattr(tile_map, "tile_grid", lambda *_: None)


def naive(box_px, values, downsample, shape):
    """Each pixel asks each box whether it holds the pixel's centre."""
    drawn = np.full(shape, np.nan)
    for y in range(shape[0]):
        for x in range(shape[1]):
            at = ((x + 0.5) * downsample, (y + 0.5) * downsample)
            inside = [
                value
                for (left, top, w, h), value in zip(box_px, values, strict=True)
                if left <= at[0] < left + w and top <= at[1] < top + h
            ]
            if inside:
                drawn[y, x] = np.mean(inside)
    return drawn


@pytest.mark.parametrize("strip", [2**18, 70])
@given(
    seed=st.integers(0, 10**6),
    side=st.integers(8, 20),
    downsample=st.sampled_from([1.0, 2.0, 3.7, 4.0]),
)
@settings(max_examples=30, deadline=None)
def test_a_grid_with_holes_agrees_with_a_loop(strip, seed, side, downsample):
    rng = np.random.default_rng(seed)
    cells = np.argwhere(rng.random((5, 4)) < 0.5)
    if not len(cells):
        return
    sides = np.full(cells.shape, side)
    box_px = np.hstack([cells * side + rng.integers(0, 30, size=2), sides])
    values = rng.random(len(cells))
    expected = naive(box_px, values, downsample, (30, 35))
    assert tile_grid(box_px, values, downsample, (30, 35)) is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile_map, "STRIP_PIXELS", strip)
        np.testing.assert_allclose(drawn_by(box_px, values, downsample, (30, 35)), expected)
        without_grid(patch)
        np.testing.assert_allclose(drawn_by(box_px, values, downsample, (30, 35)), expected)


@pytest.mark.parametrize("strip", [2**18, 90])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_boxes_anywhere_agree_with_a_loop(strip, seed):
    rng = np.random.default_rng(seed)
    box_px = np.hstack([rng.integers(-10, 90, size=(6, 2)), rng.integers(5, 40, size=(6, 2))])
    values = rng.random(6)
    expected = naive(box_px, values, 3.0, (25, 30))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tile_map, "STRIP_PIXELS", strip)
        np.testing.assert_allclose(drawn_by(box_px, values, 3.0, (25, 30)), expected)


def test_overlapping_tiles_are_no_grid_and_show_their_mean():
    box_px = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [10, 0, 10, 10]])
    values = np.array([0.0, 1.0, 0.5])
    assert tile_grid(box_px, values, 1.0, (10, 20)) is None
    row = drawn_by(box_px, values, 1.0, (10, 20))[0]
    assert row[[0, 7, 12, 17]].tolist() == [0.0, 0.5, 0.75, 0.5]


def test_the_same_box_twice_shows_its_mean():
    box_px = np.array([[0, 0, 4, 4], [0, 0, 4, 4]])
    assert (drawn_by(box_px, np.array([0.0, 1.0]), 1.0, (4, 4)) == 0.5).all()


def test_tiles_rounded_to_whole_pixels_stay_a_grid_without_seams():
    starts = np.round(np.arange(40) * 448.37).astype(np.int64)
    x, y = (axis.ravel() for axis in np.meshgrid(starts, starts))
    box_px = np.stack([x, y, np.full_like(x, 448), np.full_like(x, 448)], axis=1)
    values = np.arange(1600) / 1600
    assert tile_grid(box_px, values, 64.0, (280, 280)) is not None
    assert np.isfinite(drawn_by(box_px, values, 64.0, (280, 280))).all()


@pytest.mark.parametrize("x", [[0, 5000], [0, 0]])
def test_tiles_far_apart_keep_their_size(x):
    box_px = np.array([[x[0], 0, 100, 100], [x[1], 700, 100, 100]])
    drawn = drawn_by(box_px, np.array([0.2, 0.9]), 10.0, (80, 520))
    assert np.isfinite(drawn).sum() == 200


def test_a_tile_smaller_than_a_pixel_is_one_pixel_off_the_grid():
    box_px = np.array([[41, 41, 2, 2], [80, 83, 7, 5]])
    drawn = drawn_by(box_px, np.array([0.2, 0.9]), 20.0, (10, 10))
    assert np.isfinite(drawn).sum() == 2
