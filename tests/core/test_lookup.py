"""A wrong name is told its nearest neighbour."""

import pytest

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import check_options, look_up


class Thing:
    """For the tests."""

    def __init__(self, width: int, *, heads: int, dropout: float = 0.1) -> None:
        self.all = (width, heads, dropout)


def test_names() -> None:
    assert look_up({"mean": 1}, "mean", "pooling") == 1
    with pytest.raises(RecipeError, match="no pooling is called 'maen'; did you mean 'mean'"):
        look_up({"mean": 1}, "maen", "pooling")


def test_options() -> None:
    check_options(Thing, {"heads": 2}, "the thing", {"width"})
    with pytest.raises(RecipeError, match="has no option 'head'; did you mean 'heads'"):
        check_options(Thing, {"head": 2}, "the thing", {"width"})
    with pytest.raises(RecipeError, match="needs the option 'heads'"):
        check_options(Thing, {}, "the thing", {"width"})
    with pytest.raises(RecipeError, match="has no option 'width'"):
        check_options(Thing, {"width": 3, "heads": 1}, "the thing", {"width"})
