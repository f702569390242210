"""Whether the evidence of a series finds the right slices, and the right place in them."""

import numpy as np
import pytest

from wholecase.explain import GRAD_CAM, Evidence, lesion_slices
from wholecase.explain.lesion_slices import cells_covered

HEIGHT, WIDTH = 8, 16


def evidence(alone: list[float], weights: list[float], maps: np.ndarray | None = None) -> Evidence:
    count = len(alone)
    said = np.array(alone)
    return Evidence(
        weights=np.array(weights, np.float64)[:, None],
        scores=np.zeros((count, 1)),
        image=np.zeros(count, np.int64),
        box_px=np.tile([0, 0, WIDTH, HEIGHT], (count, 1)),
        position_um=np.zeros((count, 3), np.float32),
        logits=np.zeros((count, 0)),
        plane=np.arange(count),
        alone=np.stack([1 - said, said], 1),
        maps={} if maps is None else {GRAD_CAM: maps},
    )


def masks(count: int, *lesions: int) -> dict[int, np.ndarray]:
    """A lesion fills the left eighth of the upper half."""
    found = {i: np.zeros((HEIGHT, WIDTH), bool) for i in range(count)}
    for i in lesions:
        found[i][: HEIGHT // 2, : WIDTH // 8] = True
    return found


def test_slices_are_told_apart_by_what_each_says() -> None:
    told = lesion_slices(evidence([0.1, 0.9, 0.5, 0.4], [0, 1, 0, 0]), masks(4, 2, 3))
    assert (told.slices, told.lesions, told.first_rank) == (4, 2, 2)
    assert told.auc == pytest.approx(2 / 4)
    assert told.is_among_first
    third = lesion_slices(evidence([0.6, 0.9, 0.5, 0.4], [0, 1, 0, 0]), masks(4, 2, 3))
    assert (third.first_rank, third.is_among_first) == (3, False)
    assert third.map_share is None, "no slice with a lesion decides, and there are no maps"


def test_without_a_lesion_nothing_can_be_found() -> None:
    told = lesion_slices(evidence([0.1, 0.9], [0, 1]), masks(2))
    assert (told.lesions, told.auc, told.first_rank, told.is_among_first) == (0, None, None, None)


def test_slices_without_a_mask_are_left_out() -> None:
    some = masks(4, 2)
    del some[1]  # the highest
    told = lesion_slices(evidence([0.1, 0.9, 0.5, 0.4], [0, 1, 0, 0]), some)
    assert (told.slices, told.auc, told.first_rank) == (3, 1.0, 2)


def test_maps_are_looked_at_where_slices_with_a_lesion_decide() -> None:
    maps = np.zeros((3, 2, 4), np.float32)
    maps[0, 1, 3] = 1.0  # has no say
    maps[1, 0, 0], maps[1, 1, 2] = 3.0, 1.0  # three quarters in a cell that the lesion half fills
    maps[2, 0, 3] = 2.0  # decides, and misses
    told = lesion_slices(evidence([0.1, 0.9, 0.8], [0, 0.5, 0.5], maps), masks(3, 0, 1, 2))
    assert told.map_share == pytest.approx((0.75 * 0.5 + 0) / 2)
    assert told.map_chance == pytest.approx(1 / 16)
    assert told.pointing == pytest.approx(1 / 2)
    assert told.pointing_chance == pytest.approx(1 / 8)


def test_an_even_map_has_what_chance_has_whatever_the_sizes() -> None:
    rng = np.random.default_rng(0)
    for cells in ((3, 5), (8, 16), (20, 30)):
        mask = {0: rng.random((HEIGHT, WIDTH)) < 0.2, 1: np.zeros((HEIGHT, WIDTH), bool)}
        maps = np.ones((2, *cells), np.float32)
        told = lesion_slices(evidence([0.9, 0.1], [1, 0], maps), mask)
        assert told.map_share == pytest.approx(told.map_chance)
        assert told.map_chance == pytest.approx(mask[0].mean(), abs=0.04)


def test_a_dark_map_says_nothing_of_the_place() -> None:
    told = lesion_slices(evidence([0.9, 0.1], [1, 0], np.zeros((2, 2, 2))), masks(2, 0))
    assert told.map_share is None
    assert told.auc == 1


def test_a_lesion_smaller_than_a_pixel_of_the_grid_is_not_lost() -> None:
    mask = np.zeros((64, 64), bool)
    mask[40, 9] = True
    covered = cells_covered(mask, (8, 8))
    assert np.argwhere(covered).tolist() == [[5, 1]]
    assert covered.sum() == pytest.approx(1 / 64)
