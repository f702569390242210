"""Reading recipes: a built-in name or a file, with dotted overrides."""

import re
from collections.abc import Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest
from wholecase.core.regular import why_irregular
from wholecase.recipes.schema import Named, Recipe


def builtin_recipes() -> dict[str, str]:
    """Name -> YAML text of the recipes that come with the toolkit."""
    folder = resources.files("wholecase.recipes") / "builtin"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): f.read_text(encoding="utf-8") for f in files}


def read_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """A recipe by built-in name or by path, with overrides such as `train.epochs=3`.

    An override of a thing's `name` drops the options of the thing that stood there before.

    Raises:
        RecipeError: there is no such recipe, or it says something that cannot be.
    """
    content = _content(name)
    for override in overrides:
        _apply(content, override)
    return check_recipe(content, name)


def check_recipe(content: object, where: str) -> Recipe:
    """Validate a recipe's content; the first mistake becomes one sentence."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"recipe {where}: {_sentence(error)}") from error


def recipe_text(recipe: Recipe) -> str:
    """The recipe in full as YAML, defaults of the schema included."""
    content = recipe.model_dump(mode="json", by_alias=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def parse_yaml(text: str) -> Any:  # noqa: ANN401 (whatever YAML holds)
    """Safe YAML where `on` is a word and `1e-4` a number, as in YAML 1.2."""
    return yaml.load(text, Loader=_Yaml)  # noqa: S506 (a SafeLoader with fewer surprises)


class _Yaml(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 (as in the base class)
        letter: [(tag, rule) for tag, rule in rules if not tag.endswith((":bool", ":float"))]
        for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_BOOL = re.compile(r"^(?:true|false|True|False)$")
_FLOAT = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$|^[-+]?\.inf$|^\.nan$")
_Yaml.add_implicit_resolver("tag:yaml.org,2002:bool", _BOOL, list("tfTF"))
_Yaml.add_implicit_resolver("tag:yaml.org,2002:float", _FLOAT, list("-+.0123456789"))


def _content(name: str) -> dict[str, Any]:
    known = builtin_recipes()
    path = Path(name)
    if name in known:
        text = known[name]
    elif path.suffix in {".yaml", ".yml"} and (why := why_irregular(path)):
        raise RecipeError(f"{path}: {why}")
    elif why_irregular(path) is None and path.is_file():
        text = path.read_text(encoding="utf-8")
    elif path.suffix in {".yaml", ".yml"}:
        raise RecipeError(f"there is no recipe file {name}; give its path or a built-in name")
    else:
        raise RecipeError(f"no recipe is called {name!r}{nearest(name, known)}")
    try:
        content = parse_yaml(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"{name} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"{name} is not a recipe: it must be a mapping that starts `recipe: ...`")
    return content


def _apply(content: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip():
        raise RecipeError(f"an override reads `section.key=value`, not {override!r}")
    try:
        value = parse_yaml(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"the value of {override!r} is not YAML") from error
    *sections, key = dotted.strip().split(".")
    place = content
    for section in sections:
        below = place.setdefault(section, {})
        if isinstance(below, str):  # `aggregator: mean` is short for `aggregator: {name: mean}`
            below = place[section] = {"name": below}
        if not isinstance(below, dict):
            raise RecipeError(f"{override!r}: {section!r} holds a value, not a section")
        place = below
    if key == "name" and place.get("name") not in (None, value):
        place.clear()
    place[key] = value


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *above, key = first["loc"]
        return f"unknown key {place!r}{nearest(str(key), _keys_at(above))}"
    if first["type"] == "missing":
        return f"the key {place!r} is missing"
    message = first["msg"].removeprefix("Value error, ")
    shown = "" if isinstance(first["input"], dict) else f" (it is {first['input']!r})"
    return f"{place or 'recipe'}: {message}{shown}"


def _keys_at(loc: Iterable[int | str]) -> list[str]:
    section: type[BaseModel] | None = Recipe
    for part in loc:
        if section is None or part not in section.model_fields:
            return []
        section = next(_sections(section.model_fields[str(part)].annotation), None)
    return [] if section is None else [f.alias or n for n, f in section.model_fields.items()]


def _sections(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401
    for candidate in (annotation, *get_args(annotation)):
        is_section = isinstance(candidate, type) and issubclass(candidate, BaseModel)
        if is_section and candidate is not Named:
            yield candidate
