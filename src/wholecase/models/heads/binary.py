"""Two classes from one logit."""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.class_weights import ClassWeights, Weighting
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
        class_weights: instead of it, a factor on a case's loss by its class, mean 1 over the
            training cases: none, `balanced`, or a list of two, negative first.
        counts: training cases per class, for the weights.
        confidence: while learning, the factor on a term that draws the classes apart, where both
            are in a step: max(0, margin - (mean probability of positives - that of negatives))^2.
        margin: the distance of the two means from which on they cost nothing.
        l2: factor on the sum of squares of the hidden layers' weights, biases excepted; an explicit
            term of training (`penalty`), not the optimizer's decay and not part of the loss told.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.25,
        positive_weight: float = 1.0,
        class_weights: Weighting = None,
        counts: Sequence[int] | None = None,
        confidence: float = 0.0,
        margin: float = 0.3,
        l2: float = 0.0,
    ) -> None:
        super().__init__()
        if classes != 2:
            raise RecipeError(
                f"the head `binary` decides between 2 classes, not {classes}; use `multiclass`"
            )
        if class_weights is not None and positive_weight != 1:
            raise RecipeError("the head `binary` takes positive_weight or class_weights, not both")
        if positive_weight <= 0:
            raise RecipeError(f"positive_weight is more than 0, not {positive_weight:g}")
        self.judge = Judge(width, 1, hidden=hidden, dropout=dropout)
        self.weigh = ClassWeights(class_weights, classes, counts)
        self._positive_weight = positive_weight
        if l2 < 0 or (l2 > 0 and not hidden):
            raise RecipeError(
                f"l2 {l2:g} of the head `binary` weighs the weights of hidden layers; "
                "give 0 or more, and a layer in `hidden`"
            )
        self._l2 = l2
        if confidence < 0 or not 0 < margin <= 1:
            raise RecipeError(
                f"confidence of the head `binary` is 0 or more, and margin more than 0 and up to "
                f"1, not {confidence:g} and {margin:g}"
            )
        self._confidence, self._margin = confidence, margin

    @property
    def logit_width(self) -> int:
        """One."""
        return 1

    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M 1"]:
        """The log odds of the positive class."""
        judged: Tensor = self.judge(embedding)
        return judged

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Mean binary cross-entropy over the cases, and while learning what `confidence` adds."""
        label = batch.targets["label"]
        factor = answer.logits.new_tensor(self._positive_weight)
        each = F.binary_cross_entropy_with_logits(
            answer.logits[:, 0], label[:, 1], pos_weight=factor, reduction="none"
        )
        weighed: Tensor = self.weigh(each, label)
        return weighed + self._apart(answer.logits[:, 0], label[:, 1] > 0.5)

    def _apart(self, logits: Float[Tensor, " B"], positive: Bool[Tensor, " B"]) -> Tensor | float:
        """No part of what cases cost while judging: it would depend on who is judged together."""
        here = self.training and self._confidence > 0
        if not (here and bool(positive.any()) and not bool(positive.all())):
            return 0.0
        p = torch.sigmoid(logits)
        distance = p[positive].mean() - p[~positive].mean()
        return self._confidence * (self._margin - distance).clamp_min(0).square()

    def penalty(self) -> Tensor | float:
        """`l2` times the sum of squares of the hidden layers' weights."""
        if not self._l2:
            return 0.0
        layers = [layer for layer in self.judge.hidden if isinstance(layer, nn.Linear)]
        return self._l2 * torch.stack([layer.weight.square().sum() for layer in layers]).sum()

    def probabilities(self, answer: Answer) -> Float[Tensor, "B 2"]:
        """Negative, positive."""
        logit = answer.logits[:, 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], 1)
