"""A row of Grad-CAM: of each magnification the view that weighs most, from coarse to fine."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from wholecase.answer import scales_picture
from wholecase.answer.scale_pictures import _heaviest
from wholecase.cohort import Case, Image
from wholecase.explain import GRAD_CAM, VIEW_PX, Evidence

POWERS = (400.0, 40.0, 40.0, None)
WEIGHTS = np.array([0.3, 0.1, 0.4, 0.2])


@pytest.fixture
def case(tmp_path: Path) -> Case:
    images = []
    for number, power in enumerate(POWERS):
        path = tmp_path / f"{number}.png"
        Picture.fromarray(np.full((16, 16, 3), 60 * (number + 1), np.uint8)).save(path)
        images.append(Image(path, "still", number, magnification=power))
    return Case("c", "p", tuple(images))


def evidence() -> Evidence:
    return Evidence(
        weights=WEIGHTS[:, None],
        scores=np.zeros((4, 1)),
        image=np.arange(4),
        box_px=np.tile([0, 0, 16, 16], (4, 1)),
        position_um=np.zeros((4, 3), np.float32),
        logits=np.zeros((4, 0)),
        maps={GRAD_CAM: np.zeros((4, 2, 2), np.float32)},
    )


def test_the_heaviest_view_of_each_stands_in_the_row(case: Case) -> None:
    assert _heaviest(case, evidence(), WEIGHTS) == {40: 2, 400: 0}
    row = scales_picture(case, evidence())
    assert row is not None
    assert row.shape == (VIEW_PX + 30, 2 * VIEW_PX + 10, 3)
    assert (row[:VIEW_PX, :VIEW_PX] == 180).all(), "a map of nothing leaves the picture"
    assert (row[:VIEW_PX, -VIEW_PX:] == 60).all()


def test_where_the_map_is_high_the_picture_is_coloured(case: Case) -> None:
    maps = np.zeros((4, 2, 2), np.float32)
    maps[2, 0, 0] = 1
    row = scales_picture(case, replace(evidence(), maps={GRAD_CAM: maps}))
    assert row is not None
    assert (row[40, 40] != 180).any()
    assert (row[VIEW_PX - 40, VIEW_PX - 40] == 180).all()


def test_a_view_that_cannot_be_read_or_is_alone_makes_no_row(case: Case) -> None:
    assert scales_picture(case, replace(evidence(), maps={})) is None
    case.images[0].path.unlink()
    assert scales_picture(case, evidence()) is None, "one magnification is left"
