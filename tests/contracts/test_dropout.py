"""Whatever of the tables takes dropout refuses a share that is none, with a sentence."""

import inspect

import pytest

from wholecase.assemble import model_of
from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, BACKBONES, HEADS, POOLINGS
from wholecase.recipes import read_recipe

TAKE_DROPOUT = [
    pytest.param(made, id=name)
    for table in (AGGREGATORS, HEADS, BACKBONES, POOLINGS)
    for name, made in table.items()
    if "dropout" in inspect.signature(made).parameters
]


def widths(made) -> list[int]:
    """What comes in, and where it is asked what goes out."""
    positional = [
        one
        for one in inspect.signature(made).parameters.values()
        if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD and one.default is one.empty
    ]
    return [8, 2][: max(len(positional), 1)]


def test_the_tables_have_some() -> None:
    assert len(TAKE_DROPOUT) >= 5


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("share", [25.0, 1.0, -0.5, float("nan")])
@pytest.mark.parametrize("made", TAKE_DROPOUT)
def test_a_share_outside_is_a_recipe_error(made, share: float, hidden: bool) -> None:
    layers = {"hidden": [4]} if "hidden" in inspect.signature(made).parameters and hidden else {}
    with pytest.raises(RecipeError, match="dropout is 0 or more and less than 1, not"):
        made(*widths(made), dropout=share, **layers)


@pytest.mark.parametrize("made", TAKE_DROPOUT)
def test_a_share_within_is_taken(made) -> None:
    for share in (0.0, 0.25, 0.9):
        made(*widths(made), dropout=share)


@pytest.mark.parametrize(
    ("recipe", "part"),
    [("egfr-clam", "aggregator"), ("egfr-clam", "head"), ("pcam-attention", "head")],
)
def test_a_recipe_that_means_per_cent_is_told(recipe: str, part: str) -> None:
    wrong = read_recipe(recipe, [f"model.{part}.dropout=25.0"])
    with pytest.raises(RecipeError, match=r"less than 1, not 25\.0"):
        model_of(wrong, 3, 2, 0)
