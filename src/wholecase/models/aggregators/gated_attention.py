"""Gated attention pooling: the bag decides which of its instances speak."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.segments import segment_softmax, segment_sum

SIZES = {"small": (512, 256), "big": (512, 384)}
"""Width of the embedding, width of the gate."""


@final
class GatedAttention(Aggregator):
    """Attention pooling with a tanh and a sigmoid branch (Ilse 2018, eq. 9; sizes of Lu 2021).

    Instances are embedded by Linear, ReLU and dropout; the embedding is split into `heads` parts,
    each with its own gate and its own softmax over the instances of a bag. The weight shown for an
    instance is the mean over heads.

    Args:
        width: numbers per instance.
        size: `small` embeds to 512 with a gate of 256, `big` to 512 with a gate of 384.
        heads: parts of the embedding that attend on their own; 1 is the published form.
        dropout: after the embedding and after both branches of the gate.
    """

    def __init__(
        self, width: int, *, size: str = "big", heads: int = 8, dropout: float = 0.25
    ) -> None:
        super().__init__()
        embedding, gate = look_up(SIZES, size, "size of gated_attention")
        if heads < 1 or embedding % heads or gate % heads:
            raise RecipeError(
                f"gated_attention cannot split {embedding} and {gate} into {heads} heads; "
                "choose 1, 2, 4, 8, 16 or 32"
            )
        self._embedding, self._heads = embedding, heads
        self.embed = nn.Sequential(nn.Linear(width, embedding), nn.ReLU(), nn.Dropout(dropout))
        self.signal = HeadwiseLinear(heads, embedding // heads, gate // heads)
        self.gate = HeadwiseLinear(heads, embedding // heads, gate // heads)
        self.score = HeadwiseLinear(heads, gate // heads, 1)
        self.dropout = nn.Dropout(dropout)

    @property
    def embedding_width(self) -> int:
        """512 in both sizes."""
        return self._embedding

    def forward(self, embedded: Embedded) -> Pooled:
        """Score every instance, then mix each bag by the softmax of its scores."""
        hidden = self.embed(embedded.values)  # [T, E]
        parts = hidden.unflatten(1, (self._heads, -1))  # [T, heads, E / heads]
        scores = self.scores(parts)  # [T, heads]
        weights = segment_softmax(scores, embedded.starts)
        mixed = segment_sum(parts * weights[..., None], embedded.starts)
        return Pooled(
            embedding=mixed.flatten(1)[:, None],
            weights=weights.mean(1, keepdim=True),
            scores=scores.mean(1, keepdim=True),
            instances=hidden,
            starts=embedded.starts,
            origin=embedded.origin,
        )

    def scores(self, parts: Float[Tensor, "T heads part"]) -> Float[Tensor, "T heads"]:
        """Attention before the softmax."""
        signal = self.dropout(torch.tanh(self.signal(parts)))
        gate = self.dropout(torch.sigmoid(self.gate(parts)))
        return self.score(signal * gate).squeeze(-1)  # type: ignore[no-any-return]


@final
class HeadwiseLinear(nn.Module):
    """One linear layer per head: [T, heads, inputs] -> [T, heads, outputs]."""

    def __init__(self, heads: int, inputs: int, outputs: int) -> None:
        super().__init__()
        # the bounds of nn.Linear, per head
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(heads, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(heads, outputs).uniform_(-bound, bound))

    def forward(self, parts: Float[Tensor, "T heads inputs"]) -> Float[Tensor, "T heads outputs"]:
        """Apply each head's own weights."""
        return torch.einsum("thi,hio->tho", parts, self.weight) + self.bias
