"""Recipe and cohort -> the bags that its model takes: vectors, or pixels to learn from."""

from pathlib import Path

from wholecase.assemble.case_models import pixels_of
from wholecase.assemble.data import cut_of, plan_of
from wholecase.assemble.parts import check_batches
from wholecase.cohort import Cohort
from wholecase.core.errors import RecipeError
from wholecase.execution import Place
from wholecase.extract import Extraction, decode, extract
from wholecase.recipes import Recipe
from wholecase.sources import pixels_of as pixels_told


def bags_of(recipe: Recipe, cohort: Cohort, store: Path, place: Place) -> Extraction:
    """The bags of all images in the store; what is there already is not made again.

    Raises:
        RecipeError: the recipe names neither an encoder nor a network that learns from pixels, or
            both; or no image is of the kind that it is for.
    """
    check_input(recipe)
    check_pixels(recipe, cohort)
    if recipe.model.backbone is None:
        return extract(cohort, plan_of(recipe, store), place)
    tolerated = recipe.extract.tolerated_tiles
    kind = None if recipe.model.pixels is None else pixels_of(recipe)
    return decode(cohort, cut_of(recipe), store, place, tolerated=tolerated, kind=kind)


def check_pixels(recipe: Recipe, cohort: Cohort) -> None:
    """Pass a cohort with an image of the kind that the recipe says, if it says one.

    Nothing is opened: rows of a manifest and names of files tell. Images of another kind beside it
    cost themselves when they are read.
    """
    if recipe.model.pixels is None or recipe.model.backbone is None:
        return
    images = [image for case in cohort.cases for image in case.images]
    kinds = list(dict.fromkeys(pixels_told(image.kind, image.path) for image in images))
    if kinds and pixels_of(recipe) not in kinds:
        first, line = kinds[0].name, images[0].line
        raise RecipeError(
            f"recipe {recipe.recipe} is for {recipe.model.pixels} pixels, and the images of "
            f"{cohort.path} hold {first} (line {line}: {images[0].path}); set "
            f"model.pixels={first}, and model.input and train.augment in its unit"
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
