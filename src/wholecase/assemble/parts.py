"""Recipe -> the parts that it names. Names and options are checked here, before any work."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from wholecase.cohort import Cohort, Labels, Split, given, holdout, nested, read_splits
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.lookup import check_options, look_up, options_of
from wholecase.core.seeds import seed_of
from wholecase.encoders import EncoderSpec, check_spacing
from wholecase.extract import Plan
from wholecase.instances import CUTS, Cut
from wholecase.models import (
    AGGREGATORS,
    BACKBONES,
    HEADS,
    INPUTS,
    LIGHT,
    POOLINGS,
    Backbone,
    CaseModel,
    Head,
    Input,
    Pooling,
)
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
    Schedule,
    Stage,
    Views,
)


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
    if splits is not None:
        return read_splits(splits, cohort)
    validation, seed = protocol.validation, protocol.seed
    if protocol.kind == "nested":
        return nested(cohort, folds=protocol.folds, validation=validation, seed=seed)
    if protocol.kind == "holdout":
        return holdout(cohort, test=protocol.test, validation=validation, seed=seed)
    return given(cohort, validation=validation, seed=seed)


def cut_of(recipe: Recipe) -> Cut:
    """How images become instances."""
    make = look_up(CUTS, recipe.cut.name, "cut")
    made: Cut = _built(make, recipe.cut, "cut")
    return made


def encoder_of(recipe: Recipe, device: str) -> EncoderSpec:
    """The frozen encoder, not built yet."""
    if recipe.encoder is None:
        raise RecipeError(f"recipe {recipe.recipe} has no encoder; add `encoder: {{name: ...}}`")
    return EncoderSpec(recipe.encoder.name, recipe.encoder.options, device)


def plan_of(recipe: Recipe, store: Path, device: str) -> Plan:
    """What extraction needs."""
    cut, encoder = cut_of(recipe), encoder_of(recipe, device)
    check_spacing(encoder.name, encoder.options, cut.settings)
    tolerated = recipe.extract.tolerated_tiles
    return Plan(cut=cut, encoder=encoder, store=store, tolerated_tiles=tolerated)


def model_of(
    recipe: Recipe,
    width: int,
    classes: int,
    seed: int,
    counts: Sequence[int] | None = None,
    *,
    kind: PixelKind = RGB,
) -> CaseModel:
    """A fresh model on the CPU; the seed fixes its weights and touches no global state.

    Args:
        recipe: names the parts.
        width: of the stored features, or channels where the recipe trains a backbone on pixels.
        classes: how many.
        seed: of the weights.
        counts: training cases per class, for heads that weigh classes; None where the model is
            only asked, or gets its state from a file.
        kind: of the pixels, where the recipe trains a backbone on them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "weights"))
        return _model(recipe, width, classes, counts, kind)


def batches_of(recipe: Recipe, examples: Examples, seed: int) -> Batches:
    """Which cases meet in a batch, and what is shown of them."""
    make = look_up(BATCHES, recipe.batches.name, "batches")
    views = views_of(recipe)
    if views is not None and "views" not in options_of(make):
        raise RecipeError(
            f"the batches {recipe.batches.name!r} show their cases whole; remove `views`, or use "
            "`shuffled`"
        )
    made: Batches = _built(
        make, recipe.batches, "batches", examples=examples, seed=seed, views=views
    )
    return made


def check_batches(recipe: Recipe) -> None:
    """Refuse batches and views that cannot be, before there are examples to fill them."""
    batches_of(recipe, NoExamples(), seed=0)


def views_of(recipe: Recipe) -> Views | None:
    """By which sets of its instances a case is learnt and judged; None takes it whole."""
    if recipe.views is None:
        return None
    make = look_up(VIEWS, recipe.views.name, "views")
    made: Views = _built(make, recipe.views, "views", seed=recipe.protocol.seed)
    return made


def schedule_of(recipe: Recipe) -> Schedule:
    """How long and how fast, and what is changed of the cases meanwhile."""
    train, stop = recipe.train, recipe.train.early_stop
    stages = sorted(train.stages, key=lambda own: own.start)
    return Schedule(
        epochs=train.epochs,
        optimizer=train.optimizer.name,
        rate=train.optimizer.rate,
        decay=train.optimizer.decay,
        clip_norm=train.clip_norm,
        watch="loss" if stop is None else stop.on,
        patience=None if stop is None else stop.patience,
        min_delta=0.0 if stop is None else stop.min_delta,
        stages=tuple(Stage(own.start, own.rates) for own in stages),
        course=_course(train.schedule),
        batchnorm=train.batchnorm,
        precision=train.precision,
        augment=_augment(recipe),
    )


def _course(named: Named) -> Course:
    make = look_up(SCHEDULES, named.name, "schedule")
    made: Course = _built(make, named, "schedule")
    return made


def _augment(recipe: Recipe) -> Augment | None:
    settings = recipe.train.augment
    if not settings:
        return None
    augment = Augment.of(settings)
    if augment.needs_pixels and recipe.model.backbone is None:
        names = ", ".join(name for name in settings if AUGMENTS[name].needs_pixels)
        raise RecipeError(
            f"train.augment changes pixels ({names}), and recipe {recipe.recipe} learns from "
            "stored features; remove it, or train on pixels with `model.backbone`"
        )
    if "mixup" in settings and _one_case_a_step(recipe.batches):
        raise RecipeError(
            "train.augment.mixup mixes the cases of a step, and a step holds one; raise "
            "batches.cases, or remove it"
        )
    return augment


def _one_case_a_step(batches: Named) -> bool:
    return batches.name == "shuffled" and batches.options.get("cases", 1) == 1


def _model(
    recipe: Recipe, width: int, classes: int, counts: Sequence[int] | None, pixels: PixelKind
) -> CaseModel:
    section = recipe.model
    backbone, seen = _front(recipe, width, pixels)
    width = width if backbone is None else backbone.width
    if section.decide == "case":
        assert section.aggregator is not None, "the schema asks for it"  # noqa: S101
        kind = look_up(AGGREGATORS, section.aggregator.name, "aggregator")
        pool = _built(kind, section.aggregator, "aggregator", width=width, classes=classes)
        width, branches = pool.embedding_width, pool.branches
    else:
        assert section.pooling is not None, "the schema asks for it"  # noqa: S101
        pool = _built(
            look_up(POOLINGS, section.pooling.name, "pooling"), section.pooling, "pooling"
        )
        branches = 1
    given = {"width": width, "branches": branches, "classes": classes, "counts": counts}
    head = _built(look_up(HEADS, section.head.name, "head"), section.head, "head", **given)
    images = _images(section.images)
    also = _also(recipe, width, branches)
    return CaseModel(backbone=backbone, input=seen, pool=pool, head=head, images=images, also=also)


def _front(recipe: Recipe, width: int, kind: PixelKind) -> tuple[Backbone | None, Input]:
    """The network that learns from pixels, if there is one, and how they come to it."""
    section = recipe.model
    if section.backbone is None:
        if section.input is not None:
            raise RecipeError(
                f"model.input says how pixels become network input, and recipe {recipe.recipe} "
                "learns from stored features; remove it, or train on pixels with `model.backbone`"
            )
        return None, LIGHT
    named = section.input or Named(name="unit")
    seen: Input = _built(look_up(INPUTS, named.name, "input"), named, "input", kind=kind)
    backbone = backbone_of(section.backbone, seen.channels)
    if width != kind.channels:
        raise RecipeError(
            f"pixels of the kind {kind.name!r} have {kind.channels} channels, and these have "
            f"{width}; give images of that kind"
        )
    return backbone, seen


def backbone_of(named: Named, width: int) -> Backbone:
    """A network by its name; one that is made of others builds them in the same way."""

    def build(inner: object) -> Backbone:
        name = inner.get("name") if isinstance(inner, Mapping) else inner
        if not isinstance(name, str):
            raise RecipeError(
                f"the backbone {named.name!r} is made of networks, each a name or "
                f"`{{name: ..., options}}`, not {inner!r}"
            )
        return backbone_of(Named.model_validate(inner), width)

    network = look_up(BACKBONES, named.name, "backbone")
    backbone: Backbone = _built(network, named, "backbone", width=width, build=build)
    return backbone


def _also(recipe: Recipe, width: int, branches: int) -> dict[str, tuple[Head, float]]:
    """Heads of further targets, with the weights of their losses."""
    if recipe.model.also and branches > 1:
        raise RecipeError(
            f"model.also needs one branch of attention, and the aggregator has {branches}; "
            "set its branches to single"
        )
    heads: dict[str, tuple[Head, float]] = {}
    for name, section in recipe.model.also.items():
        if section.head.options.get("class_weights") == "balanced":
            raise RecipeError(
                f"model.also.{name}.head: further targets are not counted, so that class_weights "
                "cannot be balanced; list a number per class"
            )
        given = {"width": width, "branches": branches, "counts": None}
        given["classes"] = len(recipe.cohort.targets[name].classes)
        make = look_up(HEADS, section.head.name, "head")
        heads[name] = _built(make, section.head, "head", **given), section.weight
    return heads


def _images(named: Named) -> Pooling | None:
    if named.name == "together":
        if named.options:
            raise RecipeError("model.images=together makes one bag and has no options")
        return None
    rule = look_up({"together": None, **POOLINGS}, named.name, "rule for several images")
    pooling: Pooling = _built(rule, named, "rule for several images")
    return pooling


def _built(make: Any, named: Named, what: str, **given: Any) -> Any:  # noqa: ANN401
    """Call a constructor with what it asks for of `given`, and with the recipe's options."""
    wanted = {name: value for name, value in given.items() if name in options_of(make)}
    check_options(make, named.options, f"the {what} {named.name!r}", given)
    try:
        return make(**wanted, **named.options)
    except (TypeError, ValueError, RuntimeError) as error:  # a constructor of torch
        options = ", ".join(f"{key}={value!r}" for key, value in named.options.items())
        raise RecipeError(
            f"the {what} {named.name!r} cannot be built with {options}: {error}"
        ) from error
