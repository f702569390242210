"""How much the fold models learnt to weigh each magnification, and how far they agree."""

import statistics
from collections.abc import Sequence
from typing import Any

import torch

from wholecase.models import load_tensors
from wholecase.models.aggregators import CrossMagnification
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder

TENSOR = "pool.importance"


def learnt_importance(run: RunFolder, recipe: Recipe, folds: Sequence[int]) -> dict[str, Any]:
    """By scale the mean over folds, its deviation, and each fold's; empty without such a part."""
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
        }
        for scale, own in ((scale, [one[scale] for one in shares]) for scale in shares[0])
    }


def _shares(options: dict[str, Any], importance: torch.Tensor) -> dict[float, float]:
    pool = CrossMagnification(1, **options)
    with torch.no_grad():
        pool.importance.copy_(importance)
    return pool.importances()


def importance_notes(importance: dict[str, Any]) -> list[str]:
    """One sentence with the range over folds, since one fold's numbers wander."""
    if not importance:
        return []
    told = ", ".join(
        f"{scale} {one['mean']:.2f} ({min(one['folds']):.2f} to {max(one['folds']):.2f})"
        for scale, one in importance.items()
    )
    return [
        f"Learnt importance of each scale, mean and range over the folds: {told}. It says how the "
        "views are mixed, not which of them the answer could do without."
    ]
