"""Recipe -> the parts that learn. Names and options are checked here, before any work."""

from wholecase.assemble.building import built
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.lookup import look_up, options_of
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
