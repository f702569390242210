"""A recipe with every setting that it has, said or not."""

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from wholecase.assemble.named import KIND_AT, settings_of
from wholecase.recipes import Named, Recipe, yaml_text

LINK = "# yaml-language-server: $schema=recipe.schema.json"
"""By which editors find the schema, where `wholecase recipes schema` was written beside."""


def full_text(recipe: Recipe) -> str:
    """YAML that can be saved and run: all settings of the schema, and all options of its parts."""
    return f"{LINK}\n{yaml_text(full(recipe))}"


def full(section: BaseModel) -> dict[str, Any]:
    """Key -> JSON value, of everything, defaults of constructors included."""
    return {
        field.alias or key: _value(KIND_AT.get(key, key), getattr(section, key))
        for key, field in type(section).model_fields.items()
    }


def flat(section: BaseModel) -> dict[str, Any]:
    """The same by dotted keys, as overrides name them."""
    leaves: dict[str, Any] = {}

    def walk(value: Any, above: str) -> None:  # noqa: ANN401
        if isinstance(value, dict) and value:
            for key, one in value.items():
                walk(one, f"{above}.{key}" if above else str(key))
        else:
            leaves[above] = value

    walk(full(section), "")
    return leaves


def differences(one: Recipe, other: Recipe) -> Iterator[str]:
    """A line for each setting in which two recipes differ; what one has alone is `-` in the other.

    Names and titles are not told.
    """
    left, right = flat(one), flat(other)
    keys = [key for key in {**left, **right} if key not in {"recipe", "title"}]
    rows = [(key, _told(left, key), _told(right, key)) for key in keys]
    rows = [row for row in rows if row[1] != row[2]]
    widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
    for key, before, after in rows:
        yield f"{key:{widths[0]}}  {before:{widths[1]}}  {after}"


def _told(leaves: Mapping[str, Any], key: str) -> str:
    return json.dumps(leaves[key], ensure_ascii=False) if key in leaves else "-"


def _value(kind: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Named):
        return {"name": value.name, **_options(kind, value)}
    if isinstance(value, BaseModel):
        return full(value)
    if isinstance(value, dict):
        return {key: _value(kind, one) for key, one in value.items()}
    if isinstance(value, tuple):
        return [_value(kind, one) for one in value]
    return to_jsonable_python(value)


def _options(kind: str, named: Named) -> dict[str, Any]:
    options = dict(named.options)
    if named.name == "together":
        return options
    for name, parameter in settings_of(kind, named.name).items():
        if parameter.default is not inspect.Parameter.empty:
            options.setdefault(name, to_jsonable_python(parameter.default))
    tissue = options.get("tissue")
    if isinstance(tissue, dict) and "name" in tissue:
        found = Named.model_validate(tissue)
        options["tissue"] = {"name": found.name, **_options("tissue", found)}
    return options
