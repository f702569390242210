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


def learnt_importance(
    run: RunFolder,
    recipe: Recipe,
    folds: Sequence[int],
    lost: Mapping[str, Interval] = MappingProxyType({}),
) -> dict[str, Any]:
    """By scale the mean over folds, its deviation, and each fold's; empty without such a part.

    What the answers lose with the scale's views exchanged stands under `lost`.
    """
    named = recipe.model.aggregator
    if named is None or named.name != "cross_magnification":
        return {}
    there = [run.fold(number).model for number in folds if run.fold(number).model.exists()]
    shares = [_shares(named.options, load_tensors(path)[0][TENSOR]) for path in there]
    if not shares:
        return {}
    return {
        f"{scale:g}": {
            "mean": statistics.fmean(own),
            "deviation": statistics.stdev(own) if len(own) > 1 else None,
            "folds": own,
            **({"lost": lost[name].to_json()} if (name := f"{scale:g}") in lost else {}),
        }
        for scale, own in ((scale, [one[scale] for one in shares]) for scale in shares[0])
    }


def _shares(options: dict[str, Any], importance: torch.Tensor) -> dict[float, float]:
    pool = CrossMagnification(1, **options)
    with torch.no_grad():
        pool.importance.copy_(importance)
    return pool.importances()


def importance_notes(importance: Mapping[str, Any]) -> list[str]:
    """The range over folds, since one fold's numbers wander; and that they wander too far."""
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
    means = [one["mean"] for one in importance.values()]
    apart, widest = max(means) - min(means), max(high - low for low, high in ranges.values())
    several = len(next(iter(importance.values()))["folds"]) > 1
    if several and widest >= apart:
        notes.append(
            f"The learnt importance of one scale differs by up to {widest:.2f} between folds, that "
            f"of the scales by {apart:.2f} on average: do not rank the scales by it."
        )
    return notes
