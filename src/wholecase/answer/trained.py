"""A finished run as something that judges: its fold models vote."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer.additions import with_gallery
from wholecase.answer.members import FoldModel, Vote
from wholecase.answer.novelty import read_familiar
from wholecase.assemble import model_of
from wholecase.core.digest import digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.core.kinds import RGB, PixelKind, kind_of
from wholecase.models import CaseModel, load_model
from wholecase.recipes import Recipe, read_recipe
from wholecase.runs import FINAL, FoldFolder, RunFolder, refuse_changed, voters, voting_runs
from wholecase.training import Choices
from wholecase.weights import state_sha256


@dataclass(frozen=True)
class TrainedRun:
    """The models of a run, its recipe and classes."""

    folder: RunFolder
    recipe: Recipe
    classes: tuple[str, ...]
    encoder: dict[str, Any]
    members: tuple[FoldModel, ...]
    weights: tuple[float, ...] | None = None
    """How much each counts; None is alike."""

    @property
    def vote(self) -> Vote:
        """The fold models together."""
        return Vote(str(self.folder.root), self.members, self.threshold, self.weights)

    @property
    def threshold(self) -> float | None:
        """The median of the fold models' thresholds; None where the most probable class is told."""
        chosen = [m.choices.threshold for m in self.members if m.choices.threshold is not None]
        return float(np.median(chosen)) if chosen else None


def load_run(root: Path, device: str, *, final: bool = False) -> TrainedRun:
    """The models of a finished run, ready on the device, with what was added to their memory.

    With `final` instead of them the one model of all cases.

    Raises:
        RunError: the run is unfinished, of another version or damaged, or a vote of runs that do
            not take the same input.
    """
    folder = RunFolder(root)
    facts = folder.read_facts()
    if runs := voting_runs(folder, facts):
        if final:
            raise RunError(f"{root} is a vote and has no final model; leave out --final")
        refuse_changed(folder)
        return _load_vote(folder, [(run.name, load_run(run.folder.root, device)) for run in runs])
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


def _load_vote(folder: RunFolder, runs: Sequence[tuple[str, TrainedRun]]) -> TrainedRun:
    """The fold models of several runs as those of one, each with the threshold of its fold's vote.

    Raises:
        RunError: they take different inputs, or other runs vote in other folds.
    """
    first = runs[0][1]
    names = ", ".join(str(run.folder.root) for _, run in runs)
    if any(_takes(run) != _takes(first) for _, run in runs):
        raise RunError(
            f"the runs that vote in {folder.root} take different inputs, so that they are no one "
            f"model; predict and explain ask each of them, else name one: {names}"
        )
    folds = {number: voters(folder, number) for number in folder.fold_numbers}
    if len({tuple(own) for own in folds.values()}) > 1:
        raise RunError(
            f"other runs vote in other folds of {folder.root}, so that they are no one model; "
            f"predict and explain ask each of them, else name one: {names}"
        )
    members, weights = [], []
    for name, run in runs:
        for one, share in zip(run.members, _shares(run), strict=True):
            if counted := folds[one.fold].get(name, 0.0) * share:
                threshold = read_choices(folder.fold(one.fold)).threshold
                choices = replace(one.choices, threshold=threshold)
                members.append(replace(one, choices=choices))
                weights.append(counted)
    alike = np.ptp(weights) < 1e-12
    own = None if alike else tuple(weights)
    return TrainedRun(folder, first.recipe, first.classes, first.encoder, tuple(members), own)


def _shares(run: TrainedRun) -> list[float]:
    """How much each model counts within its fold, 1 in all: a vote has several there."""
    weights = run.weights or (1.0,) * len(run.members)
    total: dict[int, float] = defaultdict(float)
    for one, weight in zip(run.members, weights, strict=True):
        total[one.fold] += weight
    return [w / total[one.fold] for one, w in zip(run.members, weights, strict=True)]


def _takes(run: TrainedRun) -> tuple[object, ...]:
    """What a model is given of a case."""
    facts, model = run.folder.read_facts(), run.recipe.model
    told = (facts.get(name) for name in ("encoder", "cut", "instance"))
    return (*told, model.decide, model.backbone is None, run.recipe.cohort.covariates)


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
    front = front_of(model, recipe)
    return FoldModel(number, recipe, model.to(device).eval(), choices, familiar, front)


def front_of(model: CaseModel, recipe: Recipe) -> str:
    """Of a network that slept in all folds it is the same; "" where stored features are taken."""
    if model.backbone is None:
        return ""
    parts = [model.backbone] if model.standard is None else [model.backbone, model.standard]
    made = recipe.model.backbone, recipe.model.input
    return digest(
        made=[None if one is None else one.model_dump(mode="json") for one in made],
        kind=model.input.kind.name,
        weights=[state_sha256(part) for part in parts],
    )


def read_choices(folder: FoldFolder) -> Choices:
    """What a fold chose."""
    chosen = read_json(folder.choices)
    return Choices(
        temperature=chosen["temperature"],
        shift=tuple(chosen.get("shift", ())),
        threshold=chosen["threshold"],
        head=chosen.get("head", {}),
    )
