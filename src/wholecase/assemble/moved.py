"""Weight files of a finished run's encoder that lie elsewhere now."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wholecase.core.errors import RecipeError
from wholecase.recipes import Recipe
from wholecase.recipes.paths import in_full

ONNX = "onnx"


def moved_weights(recipe: Recipe, files: Sequence[Path]) -> list[str]:
    """Overrides of the recipe that name these files: one, or in order one for each encoder inside.

    Raises:
        RecipeError: the recipe's encoders begin from more files than these, or from fewer.
    """
    if not files or recipe.encoder is None:
        return []
    members = recipe.encoder.options.get("members")
    if members is None:
        _check_count(recipe.encoder.name, 1, len(files))
        return _overridden(recipe.encoder.name, files[0])
    weighed = [isinstance(one, dict) and one.get("weights") is not None for one in members]
    _check_count(recipe.encoder.name, sum(weighed), len(files))
    coming = iter(files)
    moved: list[Any] = [
        _member(one, next(coming)) if has else one
        for one, has in zip(members, weighed, strict=True)
    ]
    return [f"encoder.members={json.dumps(moved)}"]


def _overridden(name: str, file: Path) -> list[str]:
    if _is_graph(name, file):
        return [f"encoder={json.dumps(_member({'name': name}, file))}"]
    return [f"encoder.weights={file}"]


def _member(options: dict[str, Any], file: Path) -> dict[str, Any]:
    path = in_full(str(file), Path.cwd())
    if _is_graph(options["name"], file):
        return {"name": ONNX, "weights": path}
    return {**options, "weights": path}


def _is_graph(name: str, file: Path) -> bool:
    """Whether the file is a network itself, and not the weights of the one that is named."""
    return file.suffix == f".{ONNX}" and name != ONNX


def _check_count(name: str, wanted: int, given: int) -> None:
    if wanted != given:
        raise RecipeError(
            f"the encoder {name!r} has {wanted} files of weights, and --weights names {given}; "
            "name each in the order of the recipe"
        )
