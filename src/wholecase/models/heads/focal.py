"""Two classes from one logit, learnt from the cases that are not yet clear (Lin 2017)."""

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
from wholecase.models.heads.smoothing import check_smoothing, smoothed


@final
class Focal(Head):
    """One logit, a sigmoid, focal loss averaged over cases.

    Of a case with probability p and the target t of the positive class the loss is
    a t (1 - p)^gamma (-log p) + (1 - a) (1 - t) p^gamma (-log(1 - p)), with a = alpha where it is
    on the positive class, else 1 - alpha. Soft targets weigh both terms.

    Args:
        width: numbers per embedding.
        classes: must be 2; the second is the positive one.
        hidden: widths of the layers between embedding and logit.
        dropout: after each hidden layer.
        gamma: how much clear cases count less; 0 is weighed cross-entropy.
        alpha: weight of the class that it is on, the other has 1 - alpha; null weighs both by 1.
        alpha_on: `positive` as usual, `negative`, or `minority`: the class with fewer training
            cases, the positive one of equals.
        smoothing: share of a target that is spread over both classes, after any mixing.
        counts: training cases per class, for the minority; None is for a model that is only asked.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.25,
        gamma: float | int = 2.0,
        alpha: float | None = None,
        alpha_on: str = "positive",
        smoothing: float = 0.0,
        counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if classes != 2:
            raise RecipeError(
                f"the head `focal` decides between 2 classes, not {classes}; use `multiclass`"
            )
        if gamma < 0 or (alpha is not None and not 0 < alpha < 1):
            raise RecipeError(
                f"gamma of the head `focal` is 0 or more, and alpha between 0 and 1, not {gamma:g} "
                f"and {alpha}"
            )
        if alpha_on not in {"positive", "negative", "minority"}:
            raise RecipeError(
                f"alpha_on of the head `focal` is positive, negative or minority, not {alpha_on!r}"
            )
        self.judge = Judge(width, 1, hidden=hidden, dropout=dropout)
        self._gamma, self._smoothing = float(gamma), check_smoothing(smoothing)
        rare = counts is not None and counts[0] < counts[1]
        on_negative = alpha_on == "negative" or (alpha_on == "minority" and rare)
        self._weights = _both(alpha, on_negative=on_negative)

    @property
    def logit_width(self) -> int:
        """One."""
        return 1

    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M 1"]:
        """The log odds of the positive class."""
        judged: Tensor = self.judge(embedding)
        return judged

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Mean focal loss over the cases."""
        negative, positive = smoothed(batch.targets["label"], self._smoothing).unbind(1)
        logit = answer.logits[:, 0]
        of_negative, of_positive = self._weights
        hit = of_positive * positive * torch.sigmoid(-logit) ** self._gamma * F.softplus(-logit)
        miss = of_negative * negative * torch.sigmoid(logit) ** self._gamma * F.softplus(logit)
        return (hit + miss).mean()

    def probabilities(self, answer: Answer) -> Float[Tensor, "B 2"]:
        """Negative, positive."""
        logit = answer.logits[:, 0]
        return torch.stack([torch.sigmoid(-logit), torch.sigmoid(logit)], 1)


def _both(alpha: float | None, *, on_negative: bool) -> tuple[float, float]:
    """Weights of the negative and of the positive term."""
    if alpha is None:
        return 1.0, 1.0
    return (alpha, 1 - alpha) if on_negative else (1 - alpha, alpha)
