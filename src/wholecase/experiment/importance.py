"""How much the fold models learnt to weigh each magnification, and how far they agree.

Beside each share stands what the answers lose without that magnification's own views
(`exchanged`), since a share alone says nothing of that.
"""

import statistics
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch

from wholecase.evaluation import Interval
from wholecase.models import load_tensors
from wholecase.models.aggregators import CrossMagnification
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder

TENSOR = "pool.importance"
Shares = dict[float, float]
"""By scale, of one model."""


def learnt_importance(
    run: RunFolder,
    recipe: Recipe,
    folds: Sequence[int],
    lost: Mapping[str, Interval] = MappingProxyType({}),
) -> dict[str, Any]:
    """By scale the mean over folds, its deviation, and each fold's; empty without such a part.

    What the answers lose with the scale's views exchanged stands under `lost`; where the run is
    repeated with other seeds, each repeat's mean under `repeats`, the run's own first.
    """
    named = recipe.model.aggregator
    if named is None or named.name != "cross_magnification":
        return {}
    shares = _of_folds(run, named.options, folds)
    if not shares:
        return {}
    repeats = [run.repeat(number) for number in range(1, recipe.protocol.repeats)]
    others = [_of_folds(one, named.options, one.fold_numbers) for one in repeats]
    told = {f"{scale:g}": _spread(shares, others, scale) for scale in shares[0]}
    return {
        name: {**one, **({"lost": lost[name].to_json()} if name in lost else {})}
        for name, one in told.items()
    }


def _of_folds(run: RunFolder, options: dict[str, Any], folds: Sequence[int]) -> list[Shares]:
    there = [run.fold(number).model for number in folds if run.fold(number).model.exists()]
    return [_shares(options, load_tensors(path)[0][TENSOR]) for path in there]


def _spread(
    shares: Sequence[Shares], others: Sequence[Sequence[Shares]], scale: float
) -> dict[str, Any]:
    """Over the run's folds, and the means of all repeats."""
    own = [one[scale] for one in shares]
    means = [statistics.fmean(one[scale] for one in each) for each in (shares, *others)]
    return {
        "mean": statistics.fmean(own),
        "deviation": statistics.stdev(own) if len(own) > 1 else None,
        "folds": own,
        **({"repeats": means} if others else {}),
    }


def _shares(options: dict[str, Any], importance: torch.Tensor) -> Shares:
    pool = CrossMagnification(1, **options)
    with torch.no_grad():
        pool.importance.copy_(importance)
    return pool.importances()


def importance_notes(importance: Mapping[str, Any]) -> list[str]:
    """The range over folds and repeats, since one fold alone wanders; and that it is too wide."""
    if not importance:
        return []
    ranges = {scale: (min(one["folds"]), max(one["folds"])) for scale, one in importance.items()}
    told = ", ".join(
        f"{scale} {one['mean']:.2f} ({ranges[scale][0]:.2f} to {ranges[scale][1]:.2f})"
        for scale, one in importance.items()
    )
    notes = [
        f"Learnt importance of each scale, mean and range over the folds: {told}. It says how the "
        "views are mixed, not which of them the answer could do without."
    ]
    repeats = {scale: one["repeats"] for scale, one in importance.items() if "repeats" in one}
    if repeats:
        told = ", ".join(f"{s} {min(own):.2f} to {max(own):.2f}" for s, own in repeats.items())
        times = len(next(iter(repeats.values())))
        notes.append(f"Over {times} repeats with other seeds the mean over the folds goes: {told}.")
    means = [one["mean"] for one in importance.values()]
    apart, widest = max(means) - min(means), max(high - low for low, high in ranges.values())
    several = len(next(iter(importance.values()))["folds"]) > 1
    if several and widest >= apart:
        notes.append(
            f"The learnt importance of one scale differs by up to {widest:.2f} between folds, that "
            f"of the scales by {apart:.2f} on average: do not rank the scales by it."
        )
    wandered = max((max(own) - min(own) for own in repeats.values()), default=0.0)
    if repeats and wandered >= apart > widest:
        notes.append(
            f"The mean importance of one scale differs by up to {wandered:.2f} between repeats, "
            f"that of the scales by {apart:.2f}: do not rank the scales by it."
        )
    return notes
