"""What gated and plain attention share: sizes, layers per head, pooling by scores."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.segments import segment_softmax, segment_sum

SIZES = {"small": (512, 256), "big": (512, 384)}
"""Width of the embedding, width of the attention layer (Lu 2021)."""
BRANCHES = ("single", "multi")
"""One attention for the case, or one for each class."""


def widths(size: str, heads: int) -> tuple[int, int]:
    """Width of the embedding and of the attention layer; both must divide by the heads."""
    embedding, attention = look_up(SIZES, size, "size of attention")
    if heads < 1 or embedding % heads or attention % heads:
        raise RecipeError(
            f"attention cannot split {embedding} and {attention} into {heads} heads; "
            "choose 1, 2, 4, 8, 16 or 32"
        )
    return embedding, attention


def branch_count(branches: str, classes: int) -> int:
    """K, the number of attention branches."""
    if branches not in BRANCHES:
        raise RecipeError(f"branches are single or multi, not {branches!r}")
    return classes if branches == "multi" else 1


def pool_by_scores(
    hidden: Float[Tensor, "T E"], scores: Float[Tensor, "T heads K"], embedded: Embedded
) -> Pooled:
    """Mix each bag by the softmax of its scores, head by head and branch by branch.

    The weights and scores that are told are the means over heads.
    """
    parts = hidden.view(len(hidden), scores.shape[1], -1)  # [T, heads, E / heads]
    weights = segment_softmax(scores, embedded.starts)
    branches = [
        segment_sum(parts * weights[:, :, k, None], embedded.starts).flatten(1)
        for k in range(scores.shape[2])
    ]
    return Pooled(
        embedding=torch.stack(branches, 1),  # [B, K, E]
        weights=weights.mean(1),
        scores=scores.mean(1),
        instances=hidden,
        starts=embedded.starts,
        origin=embedded.origin,
    )


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
