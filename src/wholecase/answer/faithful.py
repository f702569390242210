"""Does the answer rest on what the weights point at? Delete it, and ask again."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float

from wholecase.models import CaseModel, answers
from wholecase.training import Example, pack, past

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
"""Of the instances that are deleted."""
DRAWS = 4
"""Random deletions per share, whose mean is told."""
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
    top = [_asked(model, example, np.sort(order[_deleted(s, count) :]), target) for s in SHARES]
    random = [
        np.mean(
            [
                _asked(
                    model, example, np.sort(rng.permutation(count)[_deleted(s, count) :]), target
                )
                for _ in range(DRAWS if s else 1)
            ]
        )
        for s in SHARES
    ]
    return Faithfulness(np.array(top), np.array(random, dtype=np.float64))


def _deleted(share: float, count: int) -> int:
    return min(round(share * count), count - 1)


def _asked(model: CaseModel, example: Example, kept: np.ndarray, target: int) -> float:
    part = example.only(torch.from_numpy(kept))
    (answer,) = answers(model, [pack([part])])
    with torch.no_grad():
        return float(model.head.probabilities(answer)[0, target])
