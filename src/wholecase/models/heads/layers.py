"""The layers that heads share."""

from collections.abc import Sequence
from typing import final

from jaxtyping import Float
from torch import Tensor, nn

from wholecase.models.hidden import hidden_layers


@final
class Judge(nn.Module):
    """Hidden layers with ReLU and dropout, then L logits from the K branches of an embedding.

    With one branch this is a linear layer; with L branches each logit looks at its own branch.
    """

    def __init__(self, width: int, logits: int, *, hidden: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.hidden = hidden_layers(width, hidden, dropout)
        self.last = nn.Linear([width, *hidden][-1], logits)

    def forward(self, embedding: Float[Tensor, "M K E"]) -> Float[Tensor, "M L"]:
        """Judge M embeddings."""
        hidden = self.hidden(embedding)  # [M, K, last hidden]
        if hidden.shape[1] == 1:
            judged: Tensor = self.last(hidden[:, 0])
        else:
            judged = (hidden * self.last.weight).sum(-1) + self.last.bias
        return judged
