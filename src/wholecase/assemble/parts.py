"""Recipe -> the parts that it names. Names and options are checked here, before any work."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from wholecase.cohort import Cohort, Labels, Split, given, holdout, nested, read_splits
from wholecase.core.errors import RecipeError
from wholecase.core.lookup import check_options, look_up, options_of
from wholecase.core.seeds import seed_of
from wholecase.encoders import EncoderSpec, check_spacing
from wholecase.extract import Plan
from wholecase.instances import CUTS, Cut
from wholecase.models import AGGREGATORS, BACKBONES, HEADS, POOLINGS, CaseModel, Pooling
from wholecase.recipes import Named, Recipe
from wholecase.training import BATCHES, Augment, Batches, Examples, Schedule, Stage


def labels_of(recipe: Recipe) -> Labels:
    """Which labels of the manifest mean which class."""
    section = recipe.cohort
    return Labels(
        column=section.label,
        classes=section.groups,
        ignore=section.ignore,
        also=_folder_labels(recipe),
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
    recipe: Recipe, width: int, classes: int, seed: int, counts: Sequence[int] | None = None
) -> CaseModel:
    """A fresh model on the CPU; the seed fixes its weights and touches no global state.

    Args:
        recipe: names the parts.
        width: of the stored features, or channels where the recipe trains a backbone on pixels.
        classes: how many.
        seed: of the weights.
        counts: training cases per class, for heads that weigh classes; None where the model is
            only asked, or gets its state from a file.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "weights"))
        return _model(recipe, width, classes, counts)


def batches_of(recipe: Recipe, examples: Examples, seed: int) -> Batches:
    """Which cases meet in a batch."""
    make = look_up(BATCHES, recipe.batches.name, "batches")
    made: Batches = _built(make, recipe.batches, "batches", examples=examples, seed=seed)
    return made


def schedule_of(recipe: Recipe) -> Schedule:
    """How long and how fast, and what is done to pixels meanwhile."""
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
        stages=tuple(Stage(stage.start, stage.rates) for stage in train.stages),
        batchnorm=train.batchnorm,
        precision=train.precision,
        augment=_augment(recipe),
    )


def _augment(recipe: Recipe) -> Augment | None:
    settings = recipe.train.augment
    if settings and recipe.model.backbone is None:
        raise RecipeError(
            f"train.augment changes pixels, and recipe {recipe.recipe} learns from stored "
            "features; remove it, or train on pixels with `model.backbone`"
        )
    return Augment.of(settings) if settings else None


def _model(recipe: Recipe, width: int, classes: int, counts: Sequence[int] | None) -> CaseModel:
    section = recipe.model
    backbone = None
    if section.backbone is not None:
        network = look_up(BACKBONES, section.backbone.name, "backbone")
        backbone = _built(network, section.backbone, "backbone", width=width)
        width = backbone.width
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
    return CaseModel(backbone=backbone, pool=pool, head=head, images=_images(section.images))


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
