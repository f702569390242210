"""Recipe -> the model that it describes, fresh and on the CPU."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from wholecase.assemble.building import built
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind, kind_of
from wholecase.core.lookup import look_up
from wholecase.core.seeds import seed_of
from wholecase.models import (
    AGGREGATORS,
    BACKBONES,
    HEADS,
    INPUTS,
    LIGHT,
    POOLINGS,
    SEQUENCES,
    Backbone,
    CaseModel,
    Covariates,
    Head,
    Input,
    Pooling,
    Recurrent,
    Smoothing,
)
from wholecase.recipes import Named, Recipe


def model_of(  # noqa: PLR0913 (all that a fresh model rests on)
    recipe: Recipe,
    width: int,
    classes: int,
    seed: int,
    counts: Sequence[int] | None = None,
    *,
    kind: PixelKind | None = None,
    taught: Tensor | None = None,
) -> CaseModel:
    """A fresh model on the CPU; the seed fixes its weights and touches no global state.

    Args:
        recipe: names the parts.
        width: of the stored features, or channels where the recipe trains a backbone on pixels.
        classes: how many.
        seed: of the weights.
        counts: training cases per class, for heads that weigh classes; None where the model is
            only asked, or gets its state from a file.
        kind: of the pixels, where the recipe trains a backbone on them; None is what the recipe
            says.
        taught: [M, R] what the columns of cohort.covariates tell of the patients who will teach;
            None as for `counts`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed, "weights"))
        return _model(recipe, width, (classes, counts), kind or pixels_of(recipe), taught)


def pixels_of(recipe: Recipe) -> PixelKind:
    """The kind that the recipe is for; light in colour where it does not say."""
    return RGB if recipe.model.pixels is None else kind_of(recipe.model.pixels)


def _model(
    recipe: Recipe,
    width: int,
    labels: tuple[int, Sequence[int] | None],
    pixels: PixelKind,
    taught: Tensor | None,
) -> CaseModel:
    section, (classes, counts) = recipe.model, labels
    backbone, seen = _front(recipe, width, pixels)
    width = width if backbone is None else backbone.width
    sequence = _sequence(section.sequence, width)
    if section.decide == "case":
        assert section.aggregator is not None, "the schema asks for it"  # noqa: S101
        kind = look_up(AGGREGATORS, section.aggregator.name, "aggregator")
        pool = built(kind, section.aggregator, "aggregator", width=width, classes=classes)
        width, branches = pool.embedding_width, pool.branches
    else:
        assert section.pooling is not None, "the schema asks for it"  # noqa: S101
        pool = built(look_up(POOLINGS, section.pooling.name, "pooling"), section.pooling, "pooling")
        branches = 1
    given = {"width": width, "branches": branches, "classes": classes, "counts": counts}
    head = built(look_up(HEADS, section.head.name, "head"), section.head, "head", **given)
    images = _images(section.images)
    also = _also(recipe, width, branches)
    kinds = [*recipe.cohort.covariates.values()]
    beside = Covariates(kinds, head.logit_width, taught) if kinds else None
    return CaseModel(
        backbone=backbone,
        input=seen,
        pool=pool,
        head=head,
        images=images,
        covariates=beside,
        also=also,
        sequence=sequence,
        smoothing=None if section.smoothing is None else Smoothing(section.smoothing),
    )


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
    seen: Input = built(look_up(INPUTS, named.name, "input"), named, "input", kind=kind)
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
    backbone: Backbone = built(network, named, "backbone", width=width, build=build)
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
        heads[name] = built(make, section.head, "head", **given), section.weight
        if heads[name][0].remembers:
            raise RecipeError(
                f"model.also.{name}.head: {section.head.name!r} remembers the cases of the first "
                "head alone; use another head for a further target"
            )
    return heads


def _sequence(named: Named | None, width: int) -> Recurrent | None:
    if named is None:
        return None
    make = look_up(SEQUENCES, named.name, "sequence")
    made: Recurrent = built(make, named, "sequence", width=width)
    return made


def _images(named: Named) -> Pooling | None:
    if named.name == "together":
        if named.options:
            raise RecipeError("model.images=together makes one bag and has no options")
        return None
    rule = look_up(POOLINGS, named.name, "rule for several images")
    pooling: Pooling = built(rule, named, "rule for several images")
    return pooling
