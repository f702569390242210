"""Several classes, exactly one of them true."""

from collections.abc import Sequence
from typing import final

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from wholecase.models.batch import Answer, Batch
from wholecase.models.heads.class_weights import ClassWeights, Weighting
from wholecase.models.heads.head import Head
from wholecase.models.heads.layers import Judge
from wholecase.models.heads.smoothing import check_smoothing, smoothed


@final
class Multiclass(Head):
    """A logit per class, a softmax, cross-entropy averaged over cases.

    Args:
        width: numbers per embedding.
        classes: how many; 2 is allowed.
        hidden: widths of the layers between embedding and logits.
        dropout: after each hidden layer.
        class_weights: factor on a case's loss by its class, mean 1 over the training cases: none,
            `balanced`, or a list in the order of the classes.
        smoothing: share of a target that is spread over the classes, after any mixing.
        counts: training cases per class, for the weights.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.25,
        class_weights: Weighting = None,
        smoothing: float = 0.0,
        counts: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        self._classes, self._smoothing = classes, check_smoothing(smoothing)
        self.weigh = ClassWeights(class_weights, classes, counts)
        self.judge = Judge(width, classes, hidden=hidden, dropout=dropout)

    @property
    def logit_width(self) -> int:
        """One per class."""
        return self._classes

    def logits(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M C"]:
        """One per class."""
        judged: Tensor = self.judge(embedding)
        return judged

    def loss(self, answer: Answer, batch: Batch) -> Float[Tensor, ""]:
        """Mean cross-entropy over the cases; targets may be soft."""
        label = batch.targets["label"]
        target = smoothed(label, self._smoothing)
        each = F.cross_entropy(answer.logits, target, reduction="none")
        weighed: Tensor = self.weigh(each, label)
        return weighed

    def probabilities(self, answer: Answer) -> Float[Tensor, "B C"]:
        """Softmax of the logits."""
        return answer.logits.softmax(1)
