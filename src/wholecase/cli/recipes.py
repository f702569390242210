"""`wholecase recipes`: what can be run, and what every setting means."""

from cyclopts import App

from wholecase.cli.options import Overrides

recipes = App(name="recipes", help="List the built-in recipes, or show one in full.")


@recipes.default
def names() -> None:
    """List the built-in recipes."""
    from wholecase.recipes import builtin_recipes, read_recipe

    for name in builtin_recipes():
        print(f"{name:18} {read_recipe(name).title}")


@recipes.command
def show(recipe: str, *overrides: Overrides) -> None:
    """Show every setting with default and meaning, the layers, and what is trained in each stage.

    Args:
        recipe: a built-in recipe or a YAML file.
        overrides: changes to the recipe, such as model.head.hidden=[].
    """
    from wholecase.assemble import check_recipe, describe
    from wholecase.recipes import read_recipe

    read = read_recipe(recipe, overrides)
    check_recipe(read, weights=False)
    for line in describe(read):
        print(line)
