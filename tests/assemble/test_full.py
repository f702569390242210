"""Recipes in full, their differences and their schema."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wholecase.assemble import check_recipe, full_text
from wholecase.assemble.full import differences
from wholecase.assemble.json_schema import json_schema
from wholecase.assemble.listing import KINDS, kind_lines, part_lines
from wholecase.cli import main
from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS
from wholecase.recipes import builtin_recipes, parse_yaml, read_recipe
from wholecase.recipes import load as loading

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "src" / "wholecase" / "recipes" / "builtin" / "recipe.schema.json"
SCHEMA = json_schema()


def refused(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """What a value breaks of a schema, as far as ours use its words."""
    if "$ref" in schema:
        return refused(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], where)
    wrong = [] if _is(value, schema.get("type")) else [f"{where}: {value!r} is {schema['type']}"]
    known = [schema["const"]] if "const" in schema else schema.get("enum", [value])
    if value not in known:
        wrong.append(f"{where}: {value!r} of {known}")
    if "pattern" in schema and isinstance(value, str) and not re.search(schema["pattern"], value):
        wrong.append(f"{where}: {value!r} by {schema['pattern']}")
    if "not" in schema and not refused(value, schema["not"]):
        wrong.append(f"{where}: {value!r} is one of others")
    if "anyOf" in schema and all(refused(value, one, where) for one in schema["anyOf"]):
        wrong.append(f"{where}: {value!r} is none of several")
    return [*wrong, *_inside(value, schema, where)]


def _inside(value: Any, schema: dict[str, Any], where: str) -> list[str]:
    if isinstance(value, list):
        items = schema.get("items", {})
        return [w for n, one in enumerate(value) for w in refused(one, items, f"{where}.{n}")]
    if not isinstance(value, dict):
        return []
    own, more = schema.get("properties", {}), schema.get("additionalProperties", True)
    wrong = [f"{where} lacks {key}" for key in schema.get("required", ()) if key not in value]
    wrong += [f"{where} has {key}" for key in value if key not in own and more is False]
    for key in own.keys() & value.keys():
        wrong += refused(value[key], own[key], f"{where}.{key}")
    return wrong


def _is(value: Any, kind: str | None) -> bool:
    types = {"string": str, "integer": int, "array": list, "object": dict, "boolean": bool}
    if kind in {"integer", "number"} and isinstance(value, bool):
        return False
    if kind == "number":
        return isinstance(value, int | float)
    if kind == "null":
        return value is None
    return kind is None or isinstance(value, types[kind])


@pytest.mark.parametrize("name", builtin_recipes())
def test_a_recipe_in_full_is_the_same_recipe(name: str) -> None:
    text = full_text(read_recipe(name))
    again = loading.check_recipe(parse_yaml(text, name), name)
    assert full_text(again) == text
    assert not list(differences(read_recipe(name), again))
    if again.model.backbone is None:  # the others take seconds to build
        check_recipe(again, weights=False)
    assert not refused(parse_yaml(text, name), SCHEMA)


def test_what_is_hidden_is_in_it() -> None:
    text = full_text(read_recipe("egfr-clam"))
    for line in ("    branches: single\n", "    class_weights: null\n", "    hole_um2: 50000.0\n"):
        assert line in text


@pytest.mark.parametrize("name", builtin_recipes())
def test_recipes_keep_their_schema_and_link_to_it(name: str) -> None:
    text = builtin_recipes()[name]
    assert text.startswith("# yaml-language-server: $schema=recipe.schema.json\n")
    assert not refused(parse_yaml(text, name), SCHEMA)


def test_examples_keep_the_schema() -> None:
    for path in ROOT.glob("examples/*.yaml"):
        assert not refused(parse_yaml(path.read_text(), str(path)), SCHEMA)


@pytest.mark.parametrize(
    "override",
    [
        "model.aggregator.branchs=single",
        "model.aggregator=atention",
        "train.epochs=many",
        "train.epoch=3",
        "model.head.k_sample=2.5",
        "batches.cases=[1]",
    ],
)
def test_the_schema_refuses_what_a_run_would(override: str) -> None:
    content = parse_yaml(builtin_recipes()["egfr-clam"], "")
    loading._apply(content, override)
    assert refused(content, SCHEMA)


def test_the_kept_schema_is_that_of_the_recipes() -> None:
    now = json.dumps(SCHEMA, indent=1, ensure_ascii=False) + "\n"
    assert KEPT.read_text(encoding="utf-8") == now, (
        f"write it anew: wholecase recipes schema > {KEPT.relative_to(ROOT)}"
    )


def test_differences_are_told_with_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    one = read_recipe("egfr-clam")
    other = read_recipe("egfr-clam", ["model.aggregator.heads=1", "title=x"])
    (line,) = differences(one, other)
    assert line.split() == ["model.aggregator.heads", "8", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["recipes", "diff", "egfr-clam", "pcam-attention"])
    assert ended.value.code == 1
    assert "model.aggregator.hidden" in capsys.readouterr().out


def test_every_kind_is_listed_with_what_may_be_set() -> None:
    assert {line.split()[0] for line in kind_lines()} == set(KINDS)
    for kind in KINDS:
        lines = list(part_lines(kind))
        heads = [line for line in lines if not line.startswith("  ")]
        assert all(": " in line and line.partition(": ")[2] for line in heads), kind
    listed = [line.partition(":")[0] for line in part_lines("aggregator") if line[0] != " "]
    assert listed == list(AGGREGATORS)
    with pytest.raises(RecipeError, match="did you mean 'aggregator'"):
        list(part_lines("agregator"))
