"""What was learnt, what was chosen: a change costs what rests on it, and nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from wholecase.assemble import learnt_origins
from wholecase.cohort import Case, Fold, Split, split_digest
from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json, write_text
from wholecase.extract import Extraction
from wholecase.recipes import Recipe, read_recipe, recipe_text
from wholecase.runs import CLAIM, RunFolder
from wholecase.weights import find_file

AFTERWARDS: Any = {
    "title": True,
    "choose": True,
    "evaluate": True,
    "protocol": {"repeats"},
    "cohort": {"counted"},
    "parts": True,
}
"""Parts of a recipe that a trained model does not rest on."""
SHOWN = 5
"""Differing settings that a message names."""
UNSAID = "not said"
"""Of a setting that stands in a recipe only where it is not the default."""


def learnt_key(
    recipe: Recipe,
    fold: Fold,
    extraction: Extraction,
    again: Sequence[Case] = (),
    inner: Sequence[Fold] = (),
) -> str:
    """Everything that determines a fold's model, in twenty digits.

    `again` and `inner` are as in `FoldJob`.
    """
    parts = recipe.model_dump(mode="json", include={"model", "views", "batches", "train"})
    sides = {
        side: [_known(case, extraction) for case in cases]
        for side, cases in fold.sides().items()
        if side != "test"
    }
    if again:
        sides["refit"] = [_known(case, extraction) for case in again]
    for number, part in enumerate(inner[1:], 1):
        sides[f"inner {number}"] = [[case.id] for case in part.valid]
    return digest(
        schema=2,
        parts=parts,
        sides=sides,
        **begun_from(recipe),
        **_made_by(recipe),
        seed=recipe.protocol.seed,
        number=fold.number,
        width=extraction.width,
    )


def _made_by(recipe: Recipe) -> dict[str, Any]:
    """Who made the parts that are not the house's, and in which version; nothing where all are."""
    told = learnt_origins(recipe)
    return {"version of parts": told} if told else {}


def begun_from(recipe: Recipe) -> dict[str, str]:
    """The weights that the network begins with, or those that it is made of."""
    backbone = recipe.model.backbone
    digests = [] if backbone is None else [file_digest(file) for file in _files(backbone.options)]
    if not digests:
        return {}
    return {"weights": digests[0] if len(digests) == 1 else digest(files=digests)}


def _files(network: object) -> Iterator[Path]:
    """The files that a network and those inside it begin with, in their order."""
    if isinstance(network, Mapping):
        if isinstance(file := network.get("weights"), str):
            yield find_file(Path(file))
        for value in network.values():
            yield from _files(value)
    if isinstance(network, list | tuple):
        for one in network:
            yield from _files(one)


def _known(case: Case, extraction: Extraction) -> list[object]:
    """What a model is shown of a case."""
    beside = [[list(astuple(one)) for one in case.covariates]] if case.covariates else []
    images = extraction.keys(case.images)
    return [case.id, case.patient, case.target, _further(case), images, *beside]


def _further(case: Case) -> list[object]:
    return [[target.name, target.index, target.classes] for target in case.targets]


def chosen_key(learnt: str, recipe: Recipe) -> str:
    """The same for what was chosen on the fold's inner patients."""
    return digest(learnt=learnt, choose=recipe.choose.model_dump(mode="json"))


def claim(folder: RunFolder, recipe: Recipe, cohort_file: Path, split: Split) -> None:
    """Make the folder this run's own.

    What is chosen, evaluated and shown may be changed in it, since nothing is learnt again.

    Raises:
        RunError: it holds a run that learnt something else, or no run.
    """
    inputs, mine = folder.inputs, _inputs(recipe, cohort_file, split)
    if inputs.is_file():
        differing = [name for name, value in read_json(inputs).items() if mine.get(name) != value]
        # a run that failed before its first fold has nothing to lose: the mistake may be mended
        if differing and (folder.root / "folds").is_dir():
            raise RunError(
                f"{folder.root} holds a run with another {' and '.join(differing)}"
                f"{_settings(folder, recipe)}; choose another --out or delete the folder"
            )
    elif any(path.name != CLAIM for path in folder.root.iterdir()):
        raise RunError(f"{folder.root} is not empty and no run; choose another --out")
    write_json(inputs, mine)
    write_text(folder.recipe, recipe_text(recipe))


def is_finished(
    folder: RunFolder, recipe: Recipe, cohort_file: Path, split: Split, *, baselines: bool
) -> bool:
    """Whether the folder holds all that a run of these inputs would leave there."""
    there = (folder.facts, folder.inputs, folder.recipe, folder.report, folder.metrics)
    if not all(path.is_file() for path in there):
        return False
    same = read_json(folder.inputs) == _inputs(recipe, cohort_file, split)
    same_recipe = folder.recipe.read_text(encoding="utf-8") == recipe_text(recipe)
    return same and same_recipe and (not baselines or "baselines" in read_json(folder.metrics))


def _inputs(recipe: Recipe, cohort_file: Path, split: Split) -> dict[str, str]:
    """What a run is learnt from, as digests."""
    return {
        "recipe": digest(recipe=recipe.model_dump(mode="json", exclude=AFTERWARDS)),
        "cohort": file_digest(cohort_file),
        "splits": split_digest(split),
        **{name: digest(told=told) for name, told in _made_by(recipe).items()},
    }


def _settings(folder: RunFolder, recipe: Recipe) -> str:
    """Which settings differ from those of the run that is there, as a part of a sentence."""
    if not folder.recipe.is_file():  # a vote of runs
        return ""
    there = read_recipe(str(folder.recipe)).model_dump(mode="json", exclude=AFTERWARDS)
    before = dict(_leaves(there))
    now = dict(_leaves(recipe.model_dump(mode="json", exclude=AFTERWARDS)))
    keys = [key for key in {**before, **now} if before.get(key) != now.get(key)]
    shown = [
        f"{key} {before.get(key, UNSAID)} there, {now.get(key, UNSAID)} here"
        for key in keys[:SHOWN]
    ]
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return f" ({'; '.join(shown)}{more})" if keys else ""


def _leaves(section: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value
