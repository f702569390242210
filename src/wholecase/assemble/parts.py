"""Recipe -> the parts that it names. Names and options are checked here, before any work."""

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
from wholecase.models import AGGREGATORS, HEADS, POOLINGS, CaseModel
from wholecase.recipes import Named, Recipe
from wholecase.training import BATCHES, Batches, Examples, Schedule, Stage


def labels_of(recipe: Recipe) -> Labels:
    """Which labels of the manifest mean which class."""
    section = recipe.cohort
    return Labels(column=section.label, classes=section.groups, ignore=section.ignore)


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


def model_of(recipe: Recipe, width: int, classes: int, seed: int) -> CaseModel:
    """A fresh model on the CPU; the seed fixes its weights and touches no global state."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "weights"))
        return _model(recipe, width, classes)


def batches_of(recipe: Recipe, examples: Examples, seed: int) -> Batches:
    """Which cases meet in a batch."""
    make = look_up(BATCHES, recipe.batches.name, "batches")
    made: Batches = _built(make, recipe.batches, "batches", examples=examples, seed=seed)
    return made


def schedule_of(recipe: Recipe) -> Schedule:
    """How long and how fast."""
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
    )


def _model(recipe: Recipe, width: int, classes: int) -> CaseModel:
    section = recipe.model
    if section.backbone is not None:
        raise RecipeError(f"no backbone is called {section.backbone.name!r}; there is none yet")
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
    head = look_up(HEADS, section.head.name, "head")
    made = _built(head, section.head, "head", width=width, branches=branches, classes=classes)
    return CaseModel(pool=pool, head=made)


def _built(make: Any, named: Named, what: str, **given: Any) -> Any:  # noqa: ANN401
    """Call a constructor with what it asks for of `given`, and with the recipe's options."""
    wanted = {name: value for name, value in given.items() if name in options_of(make)}
    check_options(make, named.options, f"the {what} {named.name!r}", given)
    try:
        return make(**wanted, **named.options)
    except TypeError as error:
        options = ", ".join(f"{key}={value!r}" for key, value in named.options.items())
        raise RecipeError(
            f"the {what} {named.name!r} cannot be built with {options}: {error}"
        ) from error
