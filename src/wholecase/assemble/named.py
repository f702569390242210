"""All tables of parts, where a recipe names what of them, and who made what is not the house's."""

import importlib.util
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from wholecase.cohort import Cohort
from wholecase.core.digest import file_digest
from wholecase.core.lookup import options_of
from wholecase.core.outside import REFERENCE, Part, find, others, plain
from wholecase.core.table import Table
from wholecase.encoders import ENCODERS, FIELD, STORED, published_encoder
from wholecase.evaluation import METRICS, THRESHOLDS
from wholecase.instances import CUTS, TISSUES
from wholecase.models import AGGREGATORS, BACKBONES, HEADS, INPUTS, POOLINGS, SEQUENCES, loss_table
from wholecase.recipes import Named, Recipe
from wholecase.sources import SOURCES
from wholecase.training import AUGMENTS, BATCHES, SCHEDULES, VIEWS

_ALL: tuple[Table[Any], ...] = (
    SOURCES,
    CUTS,
    TISSUES,
    ENCODERS,
    INPUTS,
    BACKBONES,
    SEQUENCES,
    AGGREGATORS,
    POOLINGS,
    HEADS,
    BATCHES,
    VIEWS,
    AUGMENTS,
    SCHEDULES,
    METRICS,
    THRESHOLDS,
)
TABLES: dict[str, Table[Any]] = {table.kind: table for table in _ALL}
"""Kind -> table, in the order in which data meet them; losses are in `loss_table()`."""
KIND_AT = {"images": "pooling"}
"""The kind of what stands under a key of a recipe, where it is not the key."""
MADE_OF_OTHERS = ("encoder", "backbone")
"""Kinds whose options may name others of the kind."""
UNLEARNT = ("metric",)
"""Kinds that a trained model does not rest on."""


def table_of(kind: str) -> Table[Any]:
    """The table of a kind that `TABLES` or `loss_table` has."""
    return loss_table() if kind == "loss" else TABLES[kind]


def maker_of(kind: str, name: str) -> tuple[Any, frozenset[str]] | None:
    """What makes a part of a recipe, and the options that the house hands to it; None: unknown."""
    table = TABLES[kind]
    if kind == "encoder" and name in FIELD:
        return published_encoder, table.given | {"name"}
    if name in table or (name != STORED and table.knows(name)):
        return table[name], table.given
    if kind == "encoder" and name != STORED:  # a network of timm
        return ENCODERS["timm"], table.given | {"model"}
    return None


def settings_of(kind: str, name: str) -> dict[str, inspect.Parameter]:
    """The options of a part, as a recipe may say them; none where it is no class or function."""
    made = maker_of(kind, name)
    if made is None or not (inspect.isclass(made[0]) or inspect.isroutine(made[0])):
        return {}
    return options_of(made[0], made[1])


def named_in(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Kind and name of each part that a recipe names; those of the house and of others."""
    yield from _in_section(recipe)
    yield from (("metric", name) for name in recipe.evaluate.metrics)
    if recipe.train.early_stop is not None:
        yield "metric", recipe.train.early_stop.on
    yield "threshold", recipe.choose.threshold
    yield from (("augmentation", name) for name in recipe.train.augment)
    tissue = recipe.cut.options.get("tissue")
    if isinstance(tissue, Mapping):
        yield "tissue", str(tissue.get("name"))
    if isinstance(loss := recipe.model.head.options.get("loss"), str):
        yield "loss", loss


def _in_section(section: BaseModel) -> Iterator[tuple[str, str]]:
    for key in type(section).model_fields:
        value = getattr(section, key)
        if isinstance(value, Named):
            kind = KIND_AT.get(key, key)
            yield kind, value.name
            yield from _inside(kind, value.options) if kind in MADE_OF_OTHERS else ()
        elif isinstance(value, BaseModel):
            yield from _in_section(value)
        elif isinstance(value, dict):
            for one in value.values():
                yield from _in_section(one) if isinstance(one, BaseModel) else ()


def _inside(kind: str, options: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    """Parts from outside that a part is made of, at any depth."""
    if isinstance(options, str) and (options in others(kind) or re.match(REFERENCE, options)):
        yield kind, options
    for one in _values(options):
        yield from _inside(kind, one)


def _values(options: object) -> list[Any]:
    if isinstance(options, Mapping):
        return list(options.values())
    return list(options) if isinstance(options, list | tuple) else []


def outside_parts(recipe: Recipe, cohort: Cohort | None = None) -> tuple[Part, ...]:
    """The parts of a recipe, and the sources of a cohort, that others made.

    Raises:
        RecipeError: two have the name of one.
    """
    images = [] if cohort is None else [image for case in cohort.cases for image in case.images]
    kinds = dict.fromkeys(("source", image.kind) for image in images)
    found = []
    for kind, name in dict.fromkeys([*named_in(recipe), *kinds]):
        own: Any = FIELD if kind == "encoder" and name in FIELD else TABLES.get(kind, {})
        part = None if name in own else find(kind, name)
        if part is not None:
            found.append(part)
    return tuple(found)


def with_origins(recipe: Recipe, cohort: Cohort | None = None) -> Recipe:
    """The recipe with the packages, and their versions, that its parts come from."""
    pins = [part.requirement for part in outside_parts(recipe, cohort) if part.requirement]
    packages = {plain(pin.partition("==")[0]) for pin in pins}
    kept = [one for one in recipe.parts if plain(one.partition("==")[0]) not in packages]
    parts = tuple(dict.fromkeys([*pins, *kept]))
    return recipe if parts == recipe.parts else recipe.model_copy(update={"parts": parts})


def told_origins(recipe: Recipe, cohort: Cohort | None = None) -> list[dict[str, str | None]]:
    """Of each part that others made what it is and whence; of one without package a digest."""
    return [_facts(part) for part in outside_parts(recipe, cohort)]


def learnt_origins(recipe: Recipe) -> list[dict[str, str | None]]:
    """The same of those that a trained model rests on."""
    return [one for one in told_origins(recipe) if one["kind"] not in UNLEARNT]


def _facts(part: Part) -> dict[str, str | None]:
    facts = {
        "kind": part.kind,
        "name": part.name,
        "package": part.package,
        "version": part.version,
        "module": part.module,
    }
    return facts if part.package else {**facts, "digest": _digest(part.module)}


def _digest(module: str) -> str | None:
    path = Path(module)
    if not module.endswith(".py"):
        spec = importlib.util.find_spec(module)
        path = Path(spec.origin or "") if spec else path
    return file_digest(path) if path.is_file() else None
