"""How large a step of learning is and why, of whom, and how much of the images an epoch shows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from wholecase.assemble import AUTO, of_size, views_of
from wholecase.cohort import Case, Fold
from wholecase.core.outlet import message
from wholecase.core.seeds import generator
from wholecase.recipes import Recipe
from wholecase.training import Example

SUITED = {"cuda": 16, "mps": 8, "cpu": 4}
"""Sets of views in a step that a device takes well where a network learns from pixels."""
LEAST_STEPS = 8
"""Of an epoch; with fewer, `auto` makes them smaller."""


@dataclass(frozen=True)
class Shown:
    """What one epoch shows of the cases that teach."""

    cases: int
    sets: int
    images: int
    """That stand in a set, each counted once."""
    of: int
    """That the cases have."""


def shown_in_epoch(recipe: Recipe, cases: Sequence[Case]) -> Shown | None:
    """Drawn as an epoch draws, by the magnifications of the manifest alone; nothing is read.

    None without views, or where an image has no magnification.
    """
    views, sets, images, whole = views_of(recipe), 0, 0, 0
    powers = [[image.magnification for image in case.images] for case in cases]
    if views is None or any(power is None for own in powers for power in own):
        return None
    for case, own in zip(cases, powers, strict=True):
        scale = torch.tensor([float(power or 0) for power in own])
        example = Example(case.id, case.patient, scale[:, None], scale=scale)
        drawn = views.shown(example, generator(recipe.protocol.seed, "shown", case.id))
        sets += len(drawn)
        images += len(set(torch.cat(drawn).tolist()))
        whole += len(own)
    return Shown(len(cases), sets, images, whole)


def sized(recipe: Recipe, device: str, taught: Sequence[Case]) -> Recipe:
    """The recipe with the number that `batches.cases: auto` comes to; any other as it is.

    What suits the device, halved while an epoch would have fewer than `LEAST_STEPS` steps. The run
    keeps the number, so that its recipe gives the same on another device.

    Args:
        recipe: of a run that begins.
        device: where it learns.
        taught: the training cases of its first fold.
    """
    if recipe.batches.options.get("cases") != AUTO:
        return recipe
    shown = shown_in_epoch(recipe, taught)
    sets = len(taught) if shown is None else shown.sets
    cases = suited = SUITED.get(_sort(device), SUITED["cpu"])
    while cases > 1 and math.ceil(sets / cases) < LEAST_STEPS:
        cases //= 2
    why = f"{suited} suit {_sort(device)}"
    if cases < suited:
        why += f", and an epoch of {sets} sets shall have {LEAST_STEPS} steps where it can"
    message(f"note: batches.cases=auto is {cases}: {why}; the run's recipe keeps the number")
    return of_size(recipe, cases)


def _sort(device: str) -> str:
    """Without the number of one of several.

    >>> _sort("cuda:1")
    'cuda'
    """
    return device.partition(":")[0]


def steps_told(recipe: Recipe, device: str, shown: Shown | None) -> str:
    """A sentence; empty without views, or with batches of another rule."""
    options = recipe.batches.options
    if recipe.views is None or recipe.batches.name != "shuffled" or "cases" not in options:
        return ""
    cases = int(options["cases"])
    told = (
        f"steps of up to {cases} sets of views (batches.cases, the recipe's on every device, so "
        f"that a run does not depend on it; here {device})"
    )
    suited = SUITED.get(_sort(device), cases)
    if recipe.model.backbone is not None and cases > suited:
        told += f"; batches.cases={suited} suits {_sort(device)} better"
    if shown is None or not shown.of:
        return told
    share, steps = 100 * shown.images / shown.of, math.ceil(shown.sets / cases)
    return (
        f"{told}; an epoch of the first fold shows {shown.images} of {shown.of} images "
        f"({share:.0f} %) of {shown.cases} cases, in {shown.sets} sets: {steps} steps or more"
    )


def lone_notes(recipe: Recipe, folds: Sequence[Fold], classes: Sequence[str]) -> list[str]:
    """A sentence on classes of which one patient teaches, where steps are to hold two of each."""
    if recipe.batches.name != "classes":
        return []
    alone: dict[str, list[str]] = {}
    for fold in folds:
        for target, name in enumerate(classes):
            if len({case.patient for case in fold.train if case.target == target}) == 1:
                alone.setdefault(name, []).append(str(fold.number))
    return [
        f"One patient alone teaches class {name!r} in fold {', '.join(numbers)}, so that there a "
        "case is compared with its own patient's as its like; add patients, or use fewer folds."
        for name, numbers in alone.items()
    ]
