"""Recipe -> the parts that it names. Names and options are checked here, before any work."""

from pathlib import Path

from wholecase.assemble.building import built
from wholecase.cohort import Cohort, Labels, Split, given, holdout, nested, read_splits
from wholecase.core.errors import RecipeError, SplitError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.lookup import look_up, options_of
from wholecase.encoders import EncoderSpec, check_spacing
from wholecase.extract import Plan
from wholecase.instances import CUTS, Cut
from wholecase.recipes import Named, Recipe
from wholecase.training import (
    AUGMENTS,
    BATCHES,
    SCHEDULES,
    VIEWS,
    Augment,
    Batches,
    Course,
    Examples,
    NoExamples,
    Reuse,
    Schedule,
    Stage,
    Views,
)

AUTO = "auto"
"""Of `batches.cases`: as many as suit the device and the cohort, decided when a run begins."""


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


def split_of(recipe: Recipe, cohort: Cohort, splits: Path | None) -> Split:
    """The folds: from a file where one is given, else by the recipe's protocol."""
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


def batches_of(recipe: Recipe, examples: Examples, seed: int) -> Batches:
    """Which cases meet in a batch, and what is shown of them."""
    make = look_up(BATCHES, recipe.batches.name, "batches")
    views = views_of(recipe)
    if views is not None and "views" not in options_of(make):
        raise RecipeError(
            f"the batches {recipe.batches.name!r} show their cases whole; remove `views`, or use "
            "`shuffled`"
        )
    made: Batches = built(
        make, recipe.batches, "batches", examples=examples, seed=seed, views=views
    )
    return made


def of_size(recipe: Recipe, cases: int) -> Recipe:
    """The recipe with so many cases in a step where it leaves that to the device."""
    named = recipe.batches
    if named.options.get("cases") != AUTO:
        return recipe
    sized = Named(name=named.name, **{**named.options, "cases": cases})
    return recipe.model_copy(update={"batches": sized})


def check_batches(recipe: Recipe) -> None:
    """Refuse batches and views that cannot be, before there are examples to fill them."""
    batches_of(of_size(recipe, 1), NoExamples(), seed=0)


def views_of(recipe: Recipe) -> Views | None:
    """By which sets of its instances a case is learnt and judged; None takes it whole."""
    if recipe.views is None:
        return None
    make = look_up(VIEWS, recipe.views.name, "views")
    made: Views = built(make, recipe.views, "views", seed=recipe.protocol.seed)
    if len(made.mirrors) > 1:
        _check_mirrored(recipe)
    return made


def _check_mirrored(recipe: Recipe) -> None:
    """Refuse to mirror what are no pixels any more."""
    if recipe.model.backbone is None:
        raise RecipeError(
            f"the views `flips` mirror pixels, and recipe {recipe.recipe} answers from stored "
            "features, which were encoded as the pictures are; remove them, or learn from pixels "
            "with `model.backbone`"
        )
    if recipe.train.reuse is not None:
        raise RecipeError(
            "train.reuse keeps what a network makes of pictures as they are, and the views `flips` "
            "mirror them while judging; set train.reuse=null, or remove the views"
        )


def schedule_of(recipe: Recipe, kind: PixelKind = RGB) -> Schedule:
    """How long and how fast, and what is changed meanwhile of the cases, of pixels of a kind."""
    train, stop = recipe.train, recipe.train.early_stop
    return Schedule(
        epochs=train.epochs,
        optimizer=train.optimizer.name,
        rate=train.optimizer.rate,
        decay=train.optimizer.decay,
        clip_norm=train.clip_norm,
        watch="loss" if stop is None else stop.on,
        patience=None if stop is None else stop.patience,
        min_delta=0.0 if stop is None else stop.min_delta,
        validation_dropout=train.validation_dropout,
        stages=_stages(recipe),
        course=_course(train.schedule),
        batchnorm=train.batchnorm,
        reuse=None
        if train.reuse is None
        else Reuse(variants=train.reuse.variants, gigabytes=train.reuse.gigabytes),
        precision=train.precision,
        augment=_augment(recipe, kind),
    )


def _stages(recipe: Recipe) -> tuple[Stage, ...]:
    """In order; a term of clinical columns learns in all of them."""
    stages = sorted(recipe.train.stages, key=lambda own: own.start)
    optimizer = recipe.train.optimizer
    if not recipe.cohort.covariates:
        return tuple(Stage(own.start, own.rates) for own in stages)
    term = {"covariates": optimizer.covariates}
    if not stages:
        return (Stage(0, {"": optimizer.rate, **term}),)
    return tuple(Stage(own.start, {**term, **own.rates}) for own in stages)


def _course(named: Named) -> Course:
    make = look_up(SCHEDULES, named.name, "schedule")
    made: Course = built(make, named, "schedule")
    return made


def _augment(recipe: Recipe, kind: PixelKind) -> Augment | None:
    settings = recipe.train.augment
    if not settings:
        return None
    augment = Augment.of(settings, kind)
    if augment.needs_pixels and recipe.model.backbone is None:
        names = ", ".join(name for name in settings if AUGMENTS[name].needs_pixels)
        raise RecipeError(
            f"train.augment changes pixels ({names}), and recipe {recipe.recipe} learns from "
            "stored features; remove it, or train on pixels with `model.backbone`"
        )
    if "mixup" in settings and recipe.cohort.covariates:
        raise RecipeError(
            "train.augment.mixup mixes cases, and what cohort.covariates tells of them cannot be "
            "mixed; leave one of them out"
        )
    if "mixup" in settings and _one_case_a_step(recipe.batches):
        raise RecipeError(
            "train.augment.mixup mixes the cases of a step, and a step holds one; raise "
            "batches.cases, or remove it"
        )
    return augment


def _one_case_a_step(batches: Named) -> bool:
    return batches.name == "shuffled" and batches.options.get("cases", 1) == 1
