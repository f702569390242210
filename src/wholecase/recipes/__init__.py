"""The schema of a recipe, and the built-in ones."""
