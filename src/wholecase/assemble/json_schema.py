"""What a recipe may say as JSON Schema, by which editors complete, explain and refuse."""

import inspect
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import to_jsonable_python

from wholecase.assemble.listing import line_of
from wholecase.assemble.named import KIND_AT, TABLES, maker_of, settings_of
from wholecase.assemble.told import meanings_of
from wholecase.core.outside import REFERENCE
from wholecase.encoders import FIELD, STORED
from wholecase.recipes import Recipe

TOGETHER = "together"


def json_schema() -> dict[str, Any]:
    """The schema of a recipe, with the options of every part that can be named here."""
    schema = Recipe.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    for section in (schema, *definitions.values()):
        for key, content in section.get("properties", {}).items():
            _point(content, KIND_AT.get(key, key))
    del definitions["Named"]
    kinds = ("cut", "encoder", "input", "backbone", "sequence", "aggregator", "pooling", "head")
    for kind in (*kinds, "batches", "views", "schedule"):
        definitions[f"part_{kind}"] = _kind(kind)
    _suggest(definitions)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **schema}


def _point(content: Any, kind: str) -> None:  # noqa: ANN401
    """Let what is any named thing be one of its kind."""
    for own in (content, *content.get("anyOf", ())):
        if own.get("$ref") == "#/$defs/Named":
            own["$ref"] = f"#/$defs/part_{kind}"


def _suggest(definitions: dict[str, Any]) -> None:
    """Names that stand as words, of which there may be others."""
    for section, key, kind, more in (
        ("EarlyStop", "on", "metric", ["loss"]),
        ("Choose", "threshold", "threshold", []),
    ):
        known = {"enum": [*more, *TABLES[kind].names()]}
        content = definitions[section]["properties"][key]
        content["anyOf"] = [known, {"type": content.pop("type")}]
    changes: dict[str, Any] = {name: {} for name in TABLES["augmentation"].names()}
    definitions["Train"]["properties"]["augment"]["properties"] = changes


def _kind(kind: str) -> dict[str, Any]:
    """A name, or a name with options."""
    names = [*TABLES[kind].names()]
    if kind == "encoder":
        names += [*FIELD, STORED]
    if kind == "pooling":
        names.append(TOGETHER)
    made = [_named(kind, name) for name in names]
    anyone = {"type": "string"} if kind == "encoder" else {"type": "string", "pattern": REFERENCE}
    other = {
        "type": "object",
        "properties": {"name": {**anyone, "not": {"enum": names}}},
        "required": ["name"],
    }
    return {"anyOf": [{"enum": names}, anyone, *made, other]}


def _named(kind: str, name: str) -> dict[str, Any]:
    made = None if name in {TOGETHER, STORED} else maker_of(kind, name)
    options = {} if made is None else settings_of(kind, name)
    meanings = {} if made is None else meanings_of(made[0])
    missing = [key for key, one in options.items() if one.default is inspect.Parameter.empty]
    return {
        "type": "object",
        "title": name,
        "description": "" if made is None else line_of(kind, name, made[0]),
        "properties": {
            "name": {"const": name},
            **{key: _option(one, meanings.get(key, "")) for key, one in options.items()},
        },
        "required": ["name", *missing],
        "additionalProperties": name == STORED,
    }


def _option(parameter: inspect.Parameter, meaning: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if parameter.annotation is not parameter.empty:
        try:
            told = TypeAdapter(parameter.annotation).json_schema()
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
            told = {}  # no kind of value that a recipe could hold
    if "$defs" in told:
        told = {}
    if meaning:
        told["description"] = meaning
    if parameter.default is not parameter.empty:
        told["default"] = to_jsonable_python(parameter.default)
    return told
