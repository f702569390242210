"""`wholecase recipes`: what can be run, and what every setting means."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from wholecase.cli.options import Overrides

recipes = App(name="recipes", help="List the built-in recipes, or show one in full.")


@recipes.default
def names() -> None:
    """List the built-in recipes."""
    from wholecase.recipes import builtin_recipes, read_recipe

    for name in builtin_recipes():
        print(f"{name:18} {read_recipe(name).title}")


@recipes.command
def show(
    recipe: str,
    *overrides: Overrides,
    yaml: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Show every setting with default and meaning, the layers, and what is trained in each stage.

    Args:
        recipe: a built-in recipe or a YAML file.
        overrides: changes to the recipe, such as model.head.hidden=[].
        yaml: print it as a file to save and run instead, with nothing left unsaid.
    """
    from wholecase.assemble import check_recipe, describe, full_text, with_origins
    from wholecase.recipes import read_recipe

    read = read_recipe(recipe, overrides)
    check_recipe(read, weights=False)
    if yaml:
        print(full_text(with_origins(read)), end="")
        return
    for line in describe(read):
        print(line)


@recipes.command
def schema() -> None:
    """Print the JSON Schema of recipes, by which editors complete and check them."""
    import json

    from wholecase.assemble.json_schema import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))


@recipes.command
def diff(one: str, other: str) -> int:
    """List the settings in which two recipes differ, defaults included; exit code 1 if any.

    Args:
        one: a built-in recipe, a YAML file, or the folder of a run.
        other: the same.
    """
    from wholecase.assemble.full import differences
    from wholecase.recipes import read_recipe

    lines = list(differences(*(read_recipe(_file(name)) for name in (one, other))))
    for line in lines:
        print(line)
    return 1 if lines else 0


def _file(name: str) -> str:
    inside = Path(name) / "recipe.yaml"
    return str(inside) if inside.is_file() else name
