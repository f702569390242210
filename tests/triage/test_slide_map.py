"""Risk and areas of a map."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from wholecase.triage.raster import Raster
from wholecase.triage.slide_map import SlideMap, read_map, squares_side, write_map
from wholecase.triage.window import TrainedAt

AT_097 = {"spacing_um": 0.97, "factor": 1.0, "side_px": 96, "stride_px": 32}


def drawn(grid: np.ndarray, **raster: float) -> SlideMap:
    """A map whose cells all lie in the image."""
    options = AT_097 | raster
    step = round(options["stride_px"] * options["factor"])
    size = grid.shape[1] * step, grid.shape[0] * step
    return SlideMap(Raster(size, **options), grid.astype(np.float32), 0.5)  # type: ignore[arg-type]


def test_the_square_of_risk_is_a_little_wider_than_a_micrometastasis() -> None:
    one = drawn(np.zeros((3, 3)))
    assert squares_side(one.raster) == 7
    assert 0.2 < squares_side(one.raster) * one.raster.cell_um / 1000 < 0.25


def test_one_wrong_window_is_hardly_a_risk_and_a_deposit_is() -> None:
    grid = np.zeros((30, 30))
    grid[5, 5] = 1.0
    assert drawn(grid).risk == pytest.approx(1 / 49)
    grid[10:17, 12:19] = 0.9
    assert drawn(grid).risk == pytest.approx(0.9)
    scattered = np.zeros((60, 60))
    scattered[::8, ::8] = 1.0  # 64 suspicious windows, none beside another
    assert drawn(scattered).risk < 0.05


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.sampled_from([0.0, 0.25, 0.5, 1.0, np.nan]),
    )
)
def test_risk_is_the_highest_mean_of_any_square(grid: np.ndarray) -> None:
    one = drawn(grid, spacing_um=1.75)  # 4 x 4 cells
    assert squares_side(one.raster) == 4
    glass = np.pad(np.nan_to_num(grid), 4)
    rows, columns = (n - 3 for n in glass.shape)
    naive = max(glass[y : y + 4, x : x + 4].mean() for y in range(rows) for x in range(columns))
    assert one.risk == pytest.approx(naive, abs=1e-6)


def test_areas_are_those_of_the_painted_squares() -> None:
    grid = np.full((10, 20), np.nan)
    grid[2:8, 3:15] = 0.1
    grid[3:5, 4:9] = 0.8
    grid[4, 4] = 0.5  # not above the threshold
    one = drawn(grid)
    cell_mm2 = (32 * 0.97e-3) ** 2
    assert one.windows == 72
    assert one.tissue_mm2 == pytest.approx(72 * cell_mm2)
    assert one.tumour_mm2 == pytest.approx(9 * cell_mm2)


@pytest.mark.parametrize("stride_px", [8, 16, 32])
def test_the_area_of_a_disc_is_right_within_the_grids_resolution(stride_px: int) -> None:
    count, radius_px = 1920 // stride_px, 600.0
    middle = (np.arange(count) + 0.5) * stride_px - 960
    grid = (np.hypot(*np.meshgrid(middle, middle)) < radius_px).astype(float)
    one = drawn(grid, stride_px=stride_px)
    true = np.pi * (radius_px * 0.97e-3) ** 2
    border = 2 * np.pi * radius_px * stride_px * 0.97e-3**2
    assert abs(one.tumour_mm2 - true) < border / 4


def test_a_map_is_read_back_under_its_own_key_only(tmp_path: Path) -> None:
    grid = np.random.default_rng(1).random((5, 6))
    grid[0, 0] = np.nan
    one, path = drawn(grid, factor=3.9), tmp_path / "map.safetensors"
    write_map(path, one, "key")
    again = read_map(path, "key")
    assert again is not None
    assert again.raster == one.raster
    assert again.threshold == one.threshold
    np.testing.assert_array_equal(again.grid, one.grid)
    assert read_map(path, "other") is None
    assert read_map(tmp_path / "none", "key") is None
    path.write_bytes(path.read_bytes()[:-9])
    assert read_map(path, "key") is None


@pytest.mark.parametrize("side_px", [2, 3, 7, 48, 50, 95, 96, 224, 256])
def test_the_stride_is_about_a_third_and_has_a_middle(side_px: int) -> None:
    stride = TrainedAt(side_px, 0.5).stride_px
    assert (side_px - stride) % 2 == 0
    assert 1 <= stride <= side_px
    assert abs(stride - side_px / 3) <= 2
