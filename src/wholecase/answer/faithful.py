"""Does the answer rest on what the weights point at? Delete it, and ask again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from wholecase.models import CaseModel, answers
from wholecase.training import Example, bounded, pack, past

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Of the instances that are deleted."""
DRAWS = 4
"""Random deletions per share, whose mean is told."""
TOGETHER = 2**22
"""Numbers of the parts of a case that are asked about at once: 16 MB."""
LEAST_INSTANCES = 20
"""In a smaller bag a tenth is no more than one or two instances."""


@dataclass(frozen=True)
class Faithfulness:
    """Probability of a class after deleting shares of a case's instances (F = len(SHARES))."""

    top: Float[np.ndarray, " F"]
    """The instances of greatest weight are gone."""
    random: Float[np.ndarray, " F"]
    """As many random ones are gone; mean over draws."""

    @property
    def area(self) -> float:
        """Mean gap between the curves over the shares; 0 where the weights mean nothing."""
        return float(np.trapezoid(self.random - self.top, SHARES) / SHARES[-1])


def faithfulness(
    model: CaseModel,
    example: Example,
    weights: Float[np.ndarray, " N"],
    target: int,
    rng: np.random.Generator,
) -> Faithfulness | None:
    """Deletion curves of one case (Samek 2017), None for a bag too small to speak of shares.

    A network sees the instances once; what is deleted are their vectors.
    """
    count = len(weights)
    if count < LEAST_INSTANCES:
        return None
    example = past(model, example)
    order = np.argsort(-weights, kind="stable")
    kept = [np.sort(order[_deleted(s, count) :]) for s in SHARES]
    draws = [DRAWS if s else 1 for s in SHARES]
    for share, times in zip(SHARES, draws, strict=True):
        gone = _deleted(share, count)
        kept += [np.sort(rng.permutation(count)[gone:]) for _ in range(times)]
    told = _asked(model, example, kept, target)
    top, *random = np.split(told, np.cumsum([len(SHARES), *draws[:-1]]))
    return Faithfulness(top, np.array([some.mean() for some in random]))


def _deleted(share: float, count: int) -> int:
    return min(round(share * count), count - 1)


def _asked(
    model: CaseModel, example: Example, kept: Sequence[np.ndarray], target: int
) -> Float[np.ndarray, " Q"]:
    """The class's probability of each of Q parts of a case; small ones are asked together."""
    # a network that is still ahead may see an instance otherwise in other company
    together = TOGETHER if model.backbone is None or example.after else 0
    each, told = example.values[0].numel(), []
    for group in bounded(kept, lambda part: each * len(part), together, len(kept)):
        parts = [example.only(torch.from_numpy(part)) for part in group]
        (answer,) = answers(model, [pack(parts)])
        with torch.no_grad():
            told.append(model.head.probabilities(answer)[:, target].double().cpu().numpy())
    return np.concatenate(told)
