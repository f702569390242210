"""The square that holds a head: found without table and air, the same for all slices."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toys.hounsfield import HounsfieldSeries
from wholecase.core.errors import NoTissueError
from wholecase.instances import Slices, stream
from wholecase.instances.head_crop import head_box
from wholecase.sources import open_source


def series(folder: Path, values: np.ndarray) -> HounsfieldSeries:
    np.save(folder / "series.npy", values)
    return HounsfieldSeries(folder / "series.npy", 0.5)


def heads(side: int = 200, planes: int = 4, air: int = -1000) -> np.ndarray:
    """Discs of rising size above a thin table; [planes, side, side] in Hounsfield units."""
    volume = np.full((planes, side, side), air, np.int16)
    y, x = np.mgrid[:side, :side]
    for plane in range(planes):
        radius = 20 + 10 * plane
        volume[plane][(y - 90) ** 2 + (x - 120) ** 2 < radius**2] = 40
    volume[:, 170:173, 10:190] = 200
    return volume


def test_the_square_holds_the_head_and_not_the_table(tmp_path: Path) -> None:
    x, y, width, height = head_box(series(tmp_path, heads()))
    assert width == height
    assert (x, y) == pytest.approx((120 - 52, 90 - 52), abs=4)
    assert width == pytest.approx(104, abs=5)


def test_slices_are_cut_by_one_square_and_lie_on_top_of_each_other(tmp_path: Path) -> None:
    source = series(tmp_path, heads())
    made = Slices(side_px=64, crop="head")(source)
    assert len({tuple(box) for box in made.box_px.tolist()}) == 1
    assert made.planes.tolist() == [0, 1, 2, 3]
    whole = Slices(side_px=64)(source)
    assert (made.scale < whole.scale).all() or np.isnan(whole.scale).all()
    pixels = np.concatenate([np.asarray(part) for _, part in stream(source, made)])
    # the smallest head stays smaller than the largest: it is not blown up
    assert (pixels[0] > 0).sum() < 0.4 * (pixels[3] > 0).sum()


def test_pictures_are_cut_by_their_light(tmp_path: Path) -> None:
    for number, plane in enumerate(heads(air=0)):
        grey = np.clip(plane * 4, 0, 255).astype(np.uint8)
        Image.fromarray(grey).save(tmp_path / f"{number}.png")
    with open_source(tmp_path, "ct") as source:
        x, y, width, _ = head_box(source)
    assert (x, y, width) == pytest.approx((68, 38, 104), abs=5)


def test_a_series_without_a_head_is_refused_by_name(tmp_path: Path) -> None:
    source = series(tmp_path, np.full((2, 64, 64), -1000, np.int16))
    with pytest.raises(NoTissueError, match="no slice shows a head"):
        head_box(source)


def test_a_head_that_fills_the_slice_is_taken_whole(tmp_path: Path) -> None:
    source = series(tmp_path, np.full((2, 64, 80), 40, np.int16))
    assert head_box(source)[2:] == (80, 64)
