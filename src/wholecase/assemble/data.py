"""What a recipe says of cases and their images.

Nothing here or below it loads torch, so that commands that train nothing start at once.
"""

from dataclasses import replace
from pathlib import Path

from wholecase.assemble.building import built
from wholecase.cohort import Cohort, Labels, Split, by_image, given, holdout, nested, read_splits
from wholecase.core.errors import RecipeError, SplitError
from wholecase.core.lookup import look_up
from wholecase.encoders import EncoderSpec, check_spacing
from wholecase.extract import Plan
from wholecase.instances import CUTS, Cut
from wholecase.recipes import Recipe
from wholecase.runs import BY_IMAGE, SIDES


def labels_of(recipe: Recipe) -> Labels:
    """Which labels of the manifest mean which class."""
    section = recipe.cohort
    further = {
        name: Labels(column=own.label, classes=tuple(own.classes.items()), ignore=own.ignore)
        for name, own in section.targets.items()
    }
    return Labels(
        column=section.label,
        classes=section.groups,
        ignore=section.ignore,
        also=_folder_labels(recipe),
        further=further,
        covariates=tuple(section.covariates.items()),
        counted=section.counted,
    )


def _folder_labels(recipe: Recipe) -> tuple[tuple[str, str], ...]:
    """A recipe `egfr-...` of two classes knows the folders `EGFR_negative` and `EGFR_positive`."""
    if recipe.cohort.classes:
        return ()
    finding = recipe.recipe.partition("-")[0]
    ends = zip(("negative", "positive"), recipe.cohort.groups, strict=True)
    return tuple((f"{finding}_{end}", name) for end, (name, _) in ends)


def divisible(recipe: Recipe, cohort: Cohort) -> Cohort:
    """The cohort as the recipe divides it: by case, or taken apart into images.

    Raises:
        SplitError: images are to be divided, and the recipe does not say why.
    """
    if recipe.protocol.group != "image":
        return cohort
    if SIDES not in recipe.evaluate.muted:
        raise SplitError(
            "protocol.group=image puts pictures of one patient on both sides, which measures how "
            "well patients are known again; leave it at patient, or say why under "
            f"evaluate.muted.{SIDES}, and every figure will carry a mark"
        )
    return by_image(cohort)


def split_of(recipe: Recipe, cohort: Cohort, splits: Path | None) -> Split:
    """The folds: from a file where one is given, else by the recipe's protocol.

    Of images that are divided the protocol's name is `image`, whatever the kind.
    """
    if recipe.protocol.group == "image":
        return replace(_split_of(recipe, divisible(recipe, cohort), splits), protocol=BY_IMAGE)
    return _split_of(recipe, cohort, splits)


def _split_of(recipe: Recipe, cohort: Cohort, splits: Path | None) -> Split:
    protocol = recipe.protocol
    if splits is not None and protocol.repeats > 1:
        raise SplitError(
            f"protocol.repeats divides anew, and {splits} is one division; leave one of them out"
        )
    if splits is not None:
        return read_splits(splits, cohort)
    validation, seed = protocol.validation, protocol.seed
    by_site = protocol.group == "site"
    if protocol.kind == "nested":
        return nested(
            cohort, folds=protocol.folds, validation=validation, seed=seed, by_site=by_site
        )
    if by_site:
        raise SplitError(
            f"protocol.group=site divides the folds of kind nested; {protocol.kind} has its own "
            "division, so leave it at patient"
        )
    if protocol.group == "image" and protocol.kind == "given":
        raise SplitError(
            "protocol.group=image divides anew, by folds of kind nested or holdout; a given split "
            "has its own division, so leave it at patient"
        )
    if protocol.kind == "holdout":
        return holdout(cohort, test=protocol.test, validation=validation, seed=seed)
    return given(cohort, validation=validation, seed=seed)


def repeats_of(recipe: Recipe) -> tuple[Recipe, ...]:
    """The recipe with the seed of each repeat; the first is the recipe as it stands.

    A repeat is the run that this seed alone would give.
    """
    protocol = recipe.protocol
    seeds = range(protocol.seed, protocol.seed + protocol.repeats)
    protocols = [protocol.model_copy(update={"seed": seed}) for seed in seeds]
    return tuple(recipe.model_copy(update={"protocol": own}) for own in protocols)


def trainings_of(recipe: Recipe) -> int:
    """How many models a run trains."""
    protocol = recipe.protocol
    folds = protocol.folds if protocol.kind == "nested" else 1
    return folds * protocol.repeats * (protocol.inner + protocol.refit)


def cut_of(recipe: Recipe) -> Cut:
    """How images become instances."""
    make = look_up(CUTS, recipe.cut.name, "cut")
    made: Cut = built(make, recipe.cut, "cut")
    return made


def shades_of(recipe: Recipe) -> tuple[float, float] | None:
    """What a picture for people shows black and white: the first window of the recipe, if any."""
    named = recipe.model.input
    if named is None or named.name != "window":
        return None
    first = (named.options.get("windows") or [(named.options["centre"], named.options["width"])])[0]
    centre, width = map(float, first)
    return centre - width / 2, centre + width / 2


def encoder_of(recipe: Recipe) -> EncoderSpec:
    """The frozen encoder, not built yet."""
    if recipe.encoder is None:
        raise RecipeError(f"recipe {recipe.recipe} has no encoder; add `encoder: {{name: ...}}`")
    return EncoderSpec(recipe.encoder.name, recipe.encoder.options)


def plan_of(recipe: Recipe, store: Path) -> Plan:
    """What extraction needs."""
    cut, encoder = cut_of(recipe), encoder_of(recipe)
    check_spacing(encoder.name, encoder.options, cut.settings)
    tolerated = recipe.extract.tolerated_tiles
    return Plan(cut=cut, encoder=encoder, store=store, tolerated_tiles=tolerated)
