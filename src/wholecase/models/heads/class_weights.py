"""How much a case of each class counts in the loss."""

from collections.abc import Sequence
from math import isfinite
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import nearest

Weighting = Sequence[float | int] | str | None
"""None, `balanced`, or a factor per class in the order of the classes."""


@final
class ClassWeights(nn.Module):
    """The mean of the cases' losses, each times the weight of its case's class.

    The weights are scaled so that their mean over the training cases is 1, which leaves the
    learning rate its meaning. They travel in the checkpoint; without weights nothing does.

    Args:
        wanted: None leaves all cases alike; `balanced` gives every class the same share of the
            loss; a list gives each class its own factor.
        classes: how many.
        counts: training cases per class; None, for a model that is only asked, takes the classes
            as equally frequent.
    """

    weights: Tensor

    def __init__(
        self, wanted: Weighting, classes: int, counts: Sequence[int] | None = None
    ) -> None:
        super().__init__()
        self._wanted = wanted is not None
        if wanted is not None:
            frequency = torch.tensor(counts or [1] * classes, dtype=torch.float64)
            factors = torch.tensor(_factors(wanted, frequency.tolist()), dtype=torch.float64)
            mean = (factors * frequency).sum() / frequency.sum()
            self.register_buffer("weights", (factors / mean).float())

    def forward(
        self, losses: Float[Tensor, " B"], labels: Float[Tensor, "B C"]
    ) -> Float[Tensor, ""]:
        """A mean over cases; a case with a soft label counts by its expected weight."""
        if not self._wanted:
            return losses.mean()
        return (losses * (labels * self.weights).sum(1)).mean()


def _factors(wanted: Sequence[object] | str, frequency: Sequence[float]) -> list[float]:
    if wanted == "balanced":
        if not all(frequency):
            raise RecipeError("class_weights balanced needs a training case of every class")
        return [1 / count for count in frequency]
    if isinstance(wanted, str):
        raise RecipeError(
            f"class_weights are balanced or a list of numbers, not {wanted!r}"
            f"{nearest(wanted, ['balanced'])}"
        )
    numbers = [w for w in wanted if isinstance(w, int | float) and isfinite(w) and w > 0]
    if len(numbers) != len(wanted) or len(wanted) != len(frequency):
        raise RecipeError(
            f"class_weights are {len(frequency)} positive numbers, one per class, "
            f"not {list(wanted)}"
        )
    return [float(w) for w in numbers]
