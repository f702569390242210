"""Recipe and cohort -> the bags that its model takes: vectors, or pixels to learn from."""

from pathlib import Path

from wholecase.assemble.case_models import pixels_of
from wholecase.assemble.parts import check_batches, cut_of, plan_of
from wholecase.cohort import Cohort
from wholecase.core.errors import RecipeError
from wholecase.execution import Place
from wholecase.extract import Extraction, decode, extract
from wholecase.recipes import Recipe


def bags_of(recipe: Recipe, cohort: Cohort, store: Path, place: Place) -> Extraction:
    """The bags of all images in the store; what is there already is not made again.

    Raises:
        RecipeError: the recipe names neither an encoder nor a network that learns from pixels, or
            both.
    """
    check_input(recipe)
    if recipe.model.backbone is None:
        return extract(cohort, plan_of(recipe, store), place)
    tolerated = recipe.extract.tolerated_tiles
    done = decode(cohort, cut_of(recipe), store, place, tolerated=tolerated)
    _check_pixels(recipe, cohort, done)
    return done


def _check_pixels(recipe: Recipe, cohort: Cohort, done: Extraction) -> None:
    """Pass images of the kind that the recipe says, if it says one."""
    if recipe.model.pixels is None or not done.bags:  # why there are none is told elsewhere
        return
    if done.kind not in {None, pixels_of(recipe)}:
        assert done.kind is not None, "asked before"  # noqa: S101
        raise RecipeError(
            f"recipe {recipe.recipe} is for {recipe.model.pixels} pixels, and the images of "
            f"{cohort.path} hold {done.kind.name}; set model.pixels={done.kind.name}, and "
            "model.input and train.augment in its unit"
        )


def check_input(recipe: Recipe) -> None:
    """Refuse a recipe whose model has nothing to learn from, or two things, or wrong batches."""
    encoder, backbone = recipe.encoder, recipe.model.backbone
    if encoder is None and backbone is None:
        raise RecipeError(
            f"recipe {recipe.recipe} names no network; add `encoder: {{name: ...}}` for frozen "
            "features, or `model.backbone` for one that learns from pixels"
        )
    if encoder is not None and backbone is not None:
        raise RecipeError(
            f"recipe {recipe.recipe} names the encoder {encoder.name} and the backbone "
            f"{backbone.name}, and a model learns from one of both; set encoder=null"
        )
    check_batches(recipe)
