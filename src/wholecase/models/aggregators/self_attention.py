"""Self-attention, then the mean: every vector of a bag asks every other one."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from wholecase.core.errors import RecipeError
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.equal_bags import equal_bags, put_back, rows_at
from wholecase.models.precision import in_full, raised

MOST_PAIRS = 2**25
"""Pairs of vectors whose attention is held at once: 128 MiB in single precision."""


@final
class SelfAttention(Aggregator):
    """Scaled dot-product attention within a bag (Vaswani 2017), one head, averaged over the bag.

    The mean over queries of softmax(QK'/sqrt(inner)) V is the attention that each vector receives,
    averaged over queries, times V; the output projection commutes with the mean. So the embedding
    is one weighted sum per bag of projected values instead of one per vector, the same to rounding,
    and the weights that are told are exactly those that made it. Their logarithms are the scores:
    the softmax of the scores over a bag gives the weights back.

    Bags of equal length go through one batched product; nothing is padded, and nothing crosses
    from bag to bag. A bag of n vectors needs n * n numbers of attention; beyond `MOST_PAIRS` they
    are made in parts, and in training made again for the gradient.

    Args:
        width: numbers per vector.
        inner: width of queries, keys, values and of the embedding.
    """

    def __init__(self, width: int, *, inner: int = 128) -> None:
        super().__init__()
        if inner < 1:
            raise RecipeError(f"self_attention needs `inner` of 1 or more, not {inner}")
        self._inner = inner
        self.query = nn.Linear(width, inner)
        self.key = nn.Linear(width, inner)
        self.value = nn.Linear(width, inner)
        self.output = nn.Linear(inner, inner)

    @property
    def embedding_width(self) -> int:
        """`inner`."""
        return self._inner

    def forward(self, embedded: Embedded) -> Pooled:
        """Weigh each vector by the attention that it receives from its own bag."""
        values = embedded.values
        query, key, hidden = self.query(values), self.key(values), self.output(self.value(values))
        groups = equal_bags(embedded.starts, values.shape[0])
        parts = ([rows_at(at, each) for each in (query, key, hidden)] for _, at in groups)
        pairs = [_mixed(*part) for part in parts]
        received = [part.flatten() for part, _ in pairs]
        weights = put_back(received, [at.flatten() for _, at in groups])[:, None]
        mixed = put_back([part for _, part in pairs], [bags for bags, _ in groups])
        return Pooled(
            embedding=mixed[:, None],
            weights=weights,
            scores=weights.clamp_min(torch.finfo(weights.dtype).tiny).log(),
            instances=hidden,
            starts=embedded.starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )


def _mixed(
    query: Float[Tensor, "b n inner"],
    key: Float[Tensor, "b n inner"],
    hidden: Float[Tensor, "b n inner"],
) -> tuple[Float[Tensor, "b n"], Float[Tensor, "b inner"]]:
    """Attention received per vector, summing to 1 over a bag, and the bag mixed by it."""
    # a graph that is exported knows no lengths, and is of one piece
    if torch.compiler.is_exporting() or key.shape[0] * key.shape[1] ** 2 <= MOST_PAIRS:
        received = _received(query, key)
    else:
        received = raised(torch.zeros_like(key[..., 0]))
        for part in torch.split(query, _rows(key), 1):
            received = received + checkpoint(_received, part, key, use_reentrant=False)
    with in_full(hidden.device):  # a sum over a bag keeps its precision
        received = received / query.shape[1]
        return received, (received[:, None] @ hidden.to(received.dtype))[:, 0]


def _rows(key: Float[Tensor, "b n inner"]) -> int:
    return max(1, MOST_PAIRS // (key.shape[0] * key.shape[1]))


def _received(query: Float[Tensor, "b m inner"], key: Float[Tensor, "b n inner"]) -> Tensor:
    pairs = query @ key.transpose(1, 2) / query.shape[2] ** 0.5  # [b, m, n]
    with in_full(query.device):
        return raised(pairs).softmax(2).sum(1)
