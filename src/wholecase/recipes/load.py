"""Reading recipes: a built-in name or a file, with dotted overrides."""

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest
from wholecase.core.outlet import message
from wholecase.core.outside import remarks, use
from wholecase.recipes.paths import is_file, resolved
from wholecase.recipes.plain_yaml import DEEPEST, MOST_LETTERS, parse_yaml, yaml_text
from wholecase.recipes.schema import Named, Recipe

MOST_BYTES = 4 * MOST_LETTERS
SHOWN = 60
"""Letters of a mistyped override that are told."""


def builtin_recipes() -> dict[str, str]:
    """Name -> YAML text of the recipes that come with the toolkit."""
    folder = resources.files("wholecase.recipes") / "builtin"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): f.read_text(encoding="utf-8") for f in files}


def read_recipe(name: str, overrides: Iterable[str] = ()) -> Recipe:
    """A recipe by built-in name or by path, with overrides such as `train.epochs=3`.

    An override of a thing's `name` drops the options of the thing that stood there before. Files
    that a recipe names are sought from its own folder, those of an override from where one stands.
    Where overrides change what is told apart and not the title, that says what it is now. The
    modules under `parts` are imported.

    Raises:
        RecipeError: there is no such recipe, it says something that cannot be, or what has its
            parts is not installed.
    """
    content = _content(name)
    before = _named_by(content)
    for override in overrides:
        _apply(content, override)
    recipe, after = check_recipe(content, name), _named_by(content)
    use(recipe.parts)
    for remark in remarks(recipe.parts):
        message(f"note: {remark}")
    # a title speaks of the labels that it was written for
    is_other = before[:-1] != after[:-1] and before[-1] == after[-1]
    return recipe.model_copy(update={"title": _title(recipe)}) if is_other else recipe


def _named_by(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """What is told apart, and the title."""
    cohort = content.get("cohort")
    labels = cohort if isinstance(cohort, Mapping) else {}
    values = (labels.get(key) for key in ("label", "positive", "negative", "classes"))
    return (*deepcopy(tuple(values)), content.get("title"))


def _title(recipe: Recipe) -> str:
    names = [name for name, _ in recipe.cohort.groups]
    classes = f"{names[1]} against {names[0]}" if len(names) == 2 else f"{' / '.join(names)}"
    column = "" if recipe.cohort.label == "label" else f" by {recipe.cohort.label}"
    return f"{classes}{column}, by the recipe {recipe.recipe}"


def check_recipe(content: object, where: str) -> Recipe:
    """Validate a recipe's content; the first mistake becomes one sentence."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"recipe {where}: {_sentence(error)}") from error


def recipe_text(recipe: Recipe) -> str:
    """The recipe in full as YAML, defaults of the schema included."""
    return yaml_text(recipe.model_dump(mode="json", by_alias=True))


def _content(name: str) -> dict[str, Any]:
    known = builtin_recipes()
    path = Path(name)
    if name in known:
        text = known[name]
    elif is_file(path):
        text = _text(path)
    elif path.suffix in {".yaml", ".yml"}:
        raise RecipeError(f"there is no recipe file {name}; give its path or a built-in name")
    else:
        raise RecipeError(f"no recipe is called {name!r}{nearest(name, known)}")
    content = parse_yaml(text, name)
    if not isinstance(content, dict):
        raise RecipeError(f"{name} is not a recipe: it must be a mapping that starts `recipe: ...`")
    found: dict[str, Any] = resolved(content, path.parent)
    return found


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise RecipeError(f"{path} cannot be read ({error.strerror}); check its rights") from error
    if len(content) > MOST_BYTES:
        raise RecipeError(f"{path} is longer than any recipe; is it another file?")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise RecipeError(f"{path}, line {line}: not UTF-8 text; save it in UTF-8") from error


def _apply(content: dict[str, Any], override: str) -> None:
    dotted, equals, text = override.partition("=")
    if not equals or not dotted.strip():
        raise RecipeError(f"an override reads `section.key=value`, not {override[:SHOWN]!r}")
    keys = dotted.strip().split(".")
    if len(keys) > DEEPEST:
        raise RecipeError(f"an override has {len(keys)} keys, and the deepest of a recipe four")
    value = parse_yaml(text, f"the value of {override[:SHOWN]!r}", keys)
    *sections, key = keys
    place = content
    for section in sections:
        below = place.setdefault(section, {})
        if isinstance(below, str):  # `aggregator: mean` is short for `aggregator: {name: mean}`
            below = place[section] = {"name": below}
        if not isinstance(below, dict):
            raise RecipeError(f"{override[:SHOWN]!r}: {section!r} holds a value, not a section")
        place = below
    if key == "name" and place.get("name") not in (None, value):
        place.clear()
    place[key] = resolved(value, Path(), keys)


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *above, key = first["loc"]
        return f"unknown key {place!r}{nearest(str(key), _keys_at(above))}"
    if first["type"] == "missing":
        return f"the key {place!r} is missing"
    message = first["msg"].removeprefix("Value error, ")
    text = repr(first["input"])
    shown = "" if isinstance(first["input"], dict) or len(text) > SHOWN else f" (it is {text})"
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
