"""Two classes with a margin between them."""

from typing import final

import torch
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models import Answer, Batch, Head


@final
class Hinge(Head):
    """One logit, squared hinge loss averaged over cases.

    Args:
        width: numbers per embedding.
        classes: must be 2; the second is the positive one.
        margin: from which distance on a right decision costs nothing.
    """

    def __init__(self, width: int, classes: int, *, margin: float = 1.0) -> None:
        super().__init__()
        if classes != 2:
            raise RecipeError(f"the head `hinge` decides between 2 classes, not {classes}")
        if margin <= 0:
            raise RecipeError(f"margin of the head `hinge` is more than 0, not {margin:g}")
        self.judge = nn.Linear(width, 1)
        self._margin = margin

    @property
    def logit_width(self) -> int:
        """One."""
        return 1

    def logits(self, embedding: Tensor) -> Tensor:
        """The distance from the boundary, [M, 1]."""
        told: Tensor = self.judge(embedding[:, 0])
        return told

    def loss(self, answer: Answer, batch: Batch) -> Tensor:
        """The mean over the cases."""
        side = 2 * batch.targets["label"][:, 1] - 1  # -1 or 1
        return (self._margin - side * answer.logits[:, 0]).clamp_min(0).square().mean()

    def probabilities(self, answer: Answer) -> Tensor:
        """Negative, positive; calibration on inner patients makes them honest."""
        logit = answer.logits[:, 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], 1)
