"""Self-attention, then the mean: every vector of a bag asks every other one."""

from itertools import groupby
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from wholecase.core.errors import RecipeError
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
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
        groups = _groups(embedded.starts, values.shape[0])
        pairs = [_mixed(_at(at, query), _at(at, key), _at(at, hidden)) for _, at in groups]
        received = [part.flatten() for part, _ in pairs]
        weights = _back(received, [at.flatten() for _, at in groups])[:, None]
        mixed = _back([part for _, part in pairs], [bags for bags, _ in groups])
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


def _groups(
    starts: Int[Tensor, " bounds"], total: int
) -> list[tuple[Int[Tensor, " b"], Int[Tensor, "b n"]]]:
    """Bags of equal length together: their numbers, and the places [b, n] of their vectors."""
    device = starts.device
    if len(starts) == 2:
        return [(starts.new_zeros(1), torch.arange(total, device=device)[None])]
    lengths = starts.diff().tolist()
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    groups = []
    for length, members in groupby(order, lengths.__getitem__):
        bags = torch.tensor(list(members), device=device)
        groups.append((bags, starts[bags, None] + torch.arange(length, device=device)))
    return groups


def _at(place: Int[Tensor, "b n"], values: Float[Tensor, "T inner"]) -> Tensor:
    """The rows at these places, [b, n, inner]; no copy where they are all there are."""
    whole = place.numel() == values.shape[0]  # one group, and then in the order of the batch
    rows = values if whole else values.index_select(0, place.flatten())
    return rows.view(*place.shape, values.shape[1])


def _back(parts: list[Tensor], places: list[Tensor]) -> Tensor:
    """The rows of all parts, each at the place that it came from."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts)[torch.cat(places).argsort()]
