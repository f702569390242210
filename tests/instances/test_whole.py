"""One instance per image, and which kinds of image get it."""

import numpy as np
import pytest
from PIL import Image

from wholecase.core.errors import RecipeError
from wholecase.instances import Grid, Slices, Whole, cut_for
from wholecase.sources import open_source


@pytest.fixture
def photograph(tmp_path):
    Image.new("RGB", (300, 200)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_without_spacing_position_and_scale_are_nan(photograph):
    with open_source(photograph, "still") as source:
        found = Whole(side_px=100)(source)
    assert found.box_px.tolist() == [[0, 0, 300, 200]]
    assert np.isnan(found.position_um).all()
    assert np.isnan(found.scale).all()


def test_with_spacing_the_scale_is_that_of_the_delivered_pixels(photograph):
    with open_source(photograph, "still", 0.5) as source:
        found = Whole(side_px=100)(source)
    assert found.position_um.tolist() == [[75.0, 50.0, 0.0]]
    assert found.scale.tolist() == [1.5]


def test_tiles_and_slices_are_instances_already():
    grid = Grid(side_px=96)
    for kind, whole in {"tile": Whole, "ct": Slices}.items():
        for mpp in (None, 0.5):
            cut = cut_for(kind, grid, mpp)
            assert isinstance(cut, whole)
            assert cut.side_px == 96


def test_a_photograph_is_gridded_where_its_spacing_is_known():
    grid = Grid()
    assert cut_for("still", grid, 0.25) is grid
    assert isinstance(cut_for("still", grid), Whole)


def test_slides_and_recipes_that_ask_for_whole_get_what_they_ask():
    grid, whole = Grid(), Whole()
    assert cut_for("slide", grid) is grid
    assert all(cut_for(kind, whole) is whole for kind in ("slide", "tile", "still", "ct"))


def test_no_side_is_refused():
    with pytest.raises(RecipeError, match="1 pixel or more"):
        Whole(side_px=0)
