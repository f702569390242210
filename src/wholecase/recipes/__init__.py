"""The schema of a recipe, and the built-in ones."""

from wholecase.recipes.load import builtin_recipes, check_recipe, read_recipe, recipe_text
from wholecase.recipes.plain_yaml import parse_yaml, yaml_text
from wholecase.recipes.schema import Named, Recipe, Section

__all__ = [
    "Named",
    "Recipe",
    "Section",
    "builtin_recipes",
    "check_recipe",
    "parse_yaml",
    "read_recipe",
    "recipe_text",
    "yaml_text",
]
