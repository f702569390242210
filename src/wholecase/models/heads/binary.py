"""Two classes from one logit."""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.head import Head
from wholecase.models.heads.layers import Judge


@final
class Binary(Head):
    """One logit, a sigmoid, binary cross-entropy averaged over cases.

    Args:
        width: numbers per embedding.
        classes: must be 2; the second is the positive one.
        hidden: widths of the layers between embedding and logit.
        dropout: after each hidden layer.
        positive_weight: factor on the loss of positive cases, for rare ones.
    """

    def __init__(
        self,
        width: int,
        classes: int,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.25,
        positive_weight: float = 1.0,
    ) -> None:
        super().__init__()
        if classes != 2:
            raise RecipeError(
                f"the head `binary` decides between 2 classes, not {classes}; use `multiclass`"
            )
        self.judge = Judge(width, 1, hidden=hidden, dropout=dropout)
        self._positive_weight = positive_weight

    @property
    def logit_width(self) -> int:
        """One."""
        return 1

    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M 1"]:
        """The log odds of the positive class."""
        judged: Tensor = self.judge(embedding)
        return judged

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Mean binary cross-entropy over the cases."""
        target = batch.targets["label"][:, 1]
        weight = answer.logits.new_tensor(self._positive_weight)
        return F.binary_cross_entropy_with_logits(answer.logits[:, 0], target, pos_weight=weight)

    def probabilities(self, answer: Answer) -> Float[Tensor, "B 2"]:
        """Negative, positive."""
        logit = answer.logits[:, 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], 1)
