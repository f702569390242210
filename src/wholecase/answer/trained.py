"""A finished run as something that judges: its fold models vote."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer.additions import with_gallery
from wholecase.answer.members import FoldModel, Vote
from wholecase.answer.novelty import read_familiar
from wholecase.assemble import model_of
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.core.kinds import RGB, PixelKind, kind_of
from wholecase.models import load_model
from wholecase.recipes import Recipe, read_recipe
from wholecase.runs import FINAL, FoldFolder, RunFolder, voting_runs
from wholecase.training import Choices


@dataclass(frozen=True)
class TrainedRun:
    """The models of a run, its recipe and classes."""

    folder: RunFolder
    recipe: Recipe
    classes: tuple[str, ...]
    encoder: dict[str, Any]
    members: tuple[FoldModel, ...]

    @property
    def vote(self) -> Vote:
        """The fold models together."""
        return Vote(str(self.folder.root), self.members, self.threshold)

    @property
    def threshold(self) -> float | None:
        """The median of the fold models' thresholds; None where the most probable class is told."""
        chosen = [m.choices.threshold for m in self.members if m.choices.threshold is not None]
        return float(np.median(chosen)) if chosen else None


def load_run(root: Path, device: str, *, final: bool = False) -> TrainedRun:
    """The models of a finished run, ready on the device, with what was added to their memory.

    With `final` instead of them the one model of all cases.

    Raises:
        RunError: the run is unfinished, of another version or damaged, or a vote of other runs.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    if runs := voting_runs(folder, facts):
        raise RunError(
            f"{root} is a vote of runs, each with models and features of its own; name one of "
            f"them: {', '.join(str(run.folder.root) for run in runs)}"
        )
    recipe = read_recipe(str(folder.recipe))
    classes, encoder = tuple(facts["classes"]), facts["encoder"]
    numbers = folder.fold_numbers
    if not numbers:
        raise RunError(f"{root} holds no trained fold; run again")
    if final and not folder.fold(FINAL).choices.is_file():
        raise RunError(f"{root} has no final model; repeat the command of the run with --final")
    numbers = [FINAL] if final else numbers
    takes = int(encoder["width"]), kind_of(encoder.get("pixels") or RGB.name)
    members = tuple(load_fold(folder, number, recipe, takes, device) for number in numbers)
    with_gallery(folder, members)
    return TrainedRun(folder, recipe, classes, encoder, members)


def load_fold(
    folder: RunFolder, number: int, recipe: Recipe, takes: tuple[int, PixelKind], device: str
) -> FoldModel:
    """The model of one fold as it was evaluated, ready on the device, and what it chose.

    `takes` is the width of its features, or channels, and the kind of its pixels.

    Raises:
        RunError: its files are missing or damaged.
    """
    (width, kind), fold, classes = takes, folder.fold(number), len(recipe.cohort.groups)
    model = model_of(recipe, width, classes, recipe.protocol.seed, kind=kind)
    load_model(fold.model, model)
    choices = read_choices(fold)
    model.head.adopt(choices.head)
    familiar = read_familiar(fold.familiar)
    return FoldModel(number, recipe, model.to(device).eval(), choices, familiar)


def read_choices(folder: FoldFolder) -> Choices:
    """What a fold chose."""
    chosen = read_json(folder.choices)
    return Choices(chosen["temperature"], chosen["threshold"], chosen.get("head", {}))
