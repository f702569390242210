"""A colleague's CLAM checkpoint -> a run that predicts and explains."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from wholecase.assemble import encoder_of, model_of
from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError, WeightsError
from wholecase.core.files import write_json, write_text
from wholecase.core.version import VERSION
from wholecase.experiment.facts import versions
from wholecase.models import load_state, save_model
from wholecase.recipes import Recipe, read_recipe, recipe_text
from wholecase.runs import SCHEMA, RunFolder, write_rows
from wholecase.weights import ClamWeights, clam_weights, read_state


def import_clam(
    weights: Path, out: Path, *, classes: Sequence[str] = (), overrides: Sequence[str] = ()
) -> RunFolder:
    """Write a run around a checkpoint of the public CLAM implementation.

    Args:
        weights: a state dict; every published layout is understood.
        out: folder of the run; must not exist or be empty.
        classes: names in the order of the checkpoint's labels; `class 0`, ... where none are given.
        overrides: of the recipe, above all of `encoder` and `cut`, which the file does not tell.

    Raises:
        WeightsError: the file is no CLAM model, is damaged, or takes features of another width than
            the recipe's encoder gives.
        RunError: the folder is in use.
    """
    if out.is_dir() and any(out.iterdir()):
        raise RunError(f"{out} is not empty; choose another --out")
    known = clam_weights(read_state(weights))
    names = tuple(classes) or tuple(f"class {c}" for c in range(known.classes))
    if len(names) != known.classes:
        raise WeightsError(
            f"{weights} knows {known.classes} classes, {len(names)} names were given"
        )
    recipe = _recipe(known, names, overrides)
    _check_width(recipe, known, weights)
    model = model_of(recipe, known.width, known.classes, recipe.protocol.seed)
    load_state(model, known.tensors, str(weights))
    folder = RunFolder(out)
    save_model(folder.fold(0).model, model, {"recipe": recipe.recipe, "key": "imported"})
    chosen: dict[str, Any] = {"key": "imported", "epoch": None, "temperature": 1.0}
    chosen |= {"threshold": 0.5 if known.classes == 2 else None, "threshold_rule": "half"}
    write_json(folder.fold(0).choices, chosen)
    write_rows(folder.splits, ("case_id", "patient_id", "fold", "side"), ())
    write_text(folder.recipe, recipe_text(recipe))
    write_json(folder.facts, _facts(recipe, known, names, weights))
    return folder


def _recipe(known: ClamWeights, names: Sequence[str], overrides: Sequence[str]) -> Recipe:
    options = ", ".join(f"{key}: {value}" for key, value in known.aggregator.items())
    classes = ", ".join(f'"{name}": ["{name}"]' for name in names)
    mine = [
        "title=An imported CLAM model",
        f"cohort={{classes: {{{classes}}}}}",
        f"model.aggregator={{{options}}}",
        "model.head={name: clam, hidden: [], output: softmax}",
        "choose={threshold: half, calibration: none}",
    ]
    return read_recipe("egfr-clam", [*mine, *overrides])


def _check_width(recipe: Recipe, known: ClamWeights, weights: Path) -> None:
    if recipe.encoder is None:
        return
    spec = encoder_of(recipe)
    given = spec.known_width()
    if given not in {None, known.width}:
        raise WeightsError(
            f"{weights} takes {known.width} numbers per tile and the encoder {spec.name} gives "
            f"{given}; name the encoder that made its features, such as encoder=NAME, or "
            "encoder=stored for feature files"
        )


def _facts(
    recipe: Recipe, known: ClamWeights, names: Sequence[str], weights: Path
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "wholecase": VERSION,
        "recipe": recipe.recipe,
        "title": recipe.title,
        "classes": list(names),
        "positive": names[1] if len(names) == 2 else None,
        "imported": {"file": weights.name, "digest": file_digest(weights)},
        # the file does not say what made its features; only their width can be checked
        "encoder": {"identity": None, "width": known.width},
        "cut": recipe.cut.model_dump(mode="json"),
        "seed": recipe.protocol.seed,
        "versions": versions(),
    }
