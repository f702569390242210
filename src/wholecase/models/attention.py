"""What gated and plain attention share: sizes, layers per head, pooling by scores."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.dropout import Rows, dropped
from wholecase.models.precision import in_full
from wholecase.models.segments import segment_mix, segment_softmax

SIZES = {"tiny": (64, 64), "small": (512, 256), "big": (512, 384)}
"""Width of the embedding, width of the attention layer (Ilse 2018; Lu 2021)."""
THIN = 4
"""Up to so many outputs a product per head costs more than multiplying and summing."""
BRANCHES = ("single", "multi")
"""One attention for the case, or one for each class."""


@dataclass(frozen=True)
class Scored:
    """Instances, embedded and scored: all that pooling needs."""

    hidden: Float[Tensor, "T E"]
    scores: Float[Tensor, "T heads K"]


Scoring = Callable[[Tensor], Scored]
"""Instances [T, D] -> embedded and scored; each on its own, so it may be asked in parts."""


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


def dropped_by_head(
    said: Float[Tensor, "T heads inner"], share: float, rows: Rows | None = None
) -> Float[Tensor, "T heads inner"]:
    """Dropout of the attention layer, in the order in which its numbers lie in memory."""
    return dropped(said.transpose(0, 1), share, rows, 1).transpose(0, 1)


def scored(
    hidden: Float[Tensor, "T E"], said: Float[Tensor, "T heads inner"], score: "HeadwiseLinear"
) -> Scored:
    """Scores from the attention layer, at the precision of the weights from here on."""
    with in_full(hidden.device):
        kind = score.weight.dtype
        return Scored(hidden.to(kind), score(said.to(kind)))


def pool_by_scores(part: Scored, embedded: Embedded) -> Pooled:
    """Mix each bag by the softmax of its scores, head by head and branch by branch.

    The weights and scores that are told are the means over heads.
    """
    with in_full(part.hidden.device):
        weights = segment_softmax(part.scores, embedded.starts)
        mixed = segment_mix(by_head(part), weights, embedded.starts)
    return pooled_of(part, mixed, weights, embedded)


def by_head(part: Scored) -> Float[Tensor, "T heads part"]:
    """The embedding, cut into the parts that attend on their own."""
    return part.hidden.view(part.hidden.shape[0], part.scores.shape[1], -1)


def pooled_of(
    part: Scored,
    mixed: Float[Tensor, "B heads K part"],
    weights: Float[Tensor, "T heads K"],
    embedded: Embedded,
) -> Pooled:
    """What an aggregator tells of bags that are mixed by these weights."""
    return Pooled(
        embedding=mixed.transpose(1, 2).flatten(2),  # [B, K, E]
        weights=weights.mean(1),
        scores=part.scores.mean(1),
        instances=part.hidden,
        starts=embedded.starts,
        origin=embedded.origin,
        cell=embedded.cell,
    )


@final
class HeadwiseLinear(nn.Module):
    """One linear layer per head: [T, heads, inputs] -> [T, heads, outputs].

    The result lies head by head in memory, as the products make it.
    """

    def __init__(self, heads: int, inputs: int, outputs: int) -> None:
        super().__init__()
        # the bounds of nn.Linear, per head
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(heads, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(heads, outputs).uniform_(-bound, bound))

    def forward(self, parts: Float[Tensor, "T heads inputs"]) -> Float[Tensor, "T heads outputs"]:
        """Apply each head's own weights."""
        heads, _, outputs = self.weight.shape
        if heads > 1 and outputs <= THIN:
            each = [(parts * self.weight[..., k]).sum(-1) for k in range(outputs)]
            return torch.stack(each, -1) + self.bias
        return torch.baddbmm(self.bias[:, None], parts.transpose(0, 1), self.weight).transpose(0, 1)
