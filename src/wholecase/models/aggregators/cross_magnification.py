"""Views at several magnifications: each knows the coarser ones, then all know all."""

from collections.abc import Sequence
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.equal_bags import equal_bags, put_back, rows_at
from wholecase.models.precision import in_full, raised
from wholecase.models.scales import check_scales, near_scales
from wholecase.models.segments import owners, segment_softmax, segment_sum

VECTOR_STD = 0.02
"""Of the numbers of a magnification's vector at first, as of places in a picture (Devlin 2019)."""


@final
class BagAttention(nn.Module):
    """Multi-head attention within a bag (Vaswani 2017), added to what asks, then normalised.

    Args:
        width: numbers per instance.
        heads: parts of the width that attend on their own.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        # a bias of the keys would shift all scores of a query alike, which is nothing
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width, bias=False)
        self.norm = nn.LayerNorm(width)

    def forward(
        self,
        hidden: Float[Tensor, "T E"],
        starts: Int[Tensor, " bounds"],
        rank: Int[Tensor, " T"] | None = None,
    ) -> Float[Tensor, "T E"]:
        """Ask the instances of one's own bag: with `rank` those of a lower rank alone.

        Who finds nobody to ask keeps what it has, up to the norm.
        """
        query, key, value = self.query(hidden), self.key(hidden), self.value(hidden)
        places = [at for _, at in equal_bags(starts, hidden.shape[0])]
        heard = [
            _heard(
                self._by_head(at, query),
                self._by_head(at, key),
                self._by_head(at, value),
                _lower(at, rank),
            )
            for at in places
        ]
        mixed = put_back([part.flatten(0, 1) for part in heard], [at.flatten() for at in places])
        with in_full(hidden.device):
            normed: Tensor = self.norm(raised(hidden) + raised(self.output(mixed)))
        return normed

    def _by_head(
        self, at: Int[Tensor, "b n"], values: Float[Tensor, "T E"]
    ) -> Float[Tensor, "b heads n part"]:
        rows = rows_at(at, values)
        return rows.view(*at.shape, self._heads, -1).transpose(1, 2)


def _heard(
    query: Float[Tensor, "b heads n part"],
    key: Float[Tensor, "b heads n part"],
    value: Float[Tensor, "b heads n part"],
    allowed: Tensor | None,
) -> Float[Tensor, "b n E"]:
    scores = query @ key.transpose(2, 3) / query.shape[3] ** 0.5
    with in_full(query.device):
        scores = raised(scores)
        if allowed is not None:
            scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
        weights = scores.softmax(3)
        if allowed is not None:  # who may ask nobody has an even softmax, and hears nothing
            weights = weights * allowed
        return (weights @ raised(value)).transpose(1, 2).flatten(2)


def _lower(at: Int[Tensor, "b n"], rank: Int[Tensor, " T"] | None) -> Tensor | None:
    """For each instance which of its bag are of a lower rank, [b, 1, n, n]."""
    if rank is None:
        return None
    own = rank[at]
    return (own[:, :, None] > own[:, None, :])[:, None]


@final
class CrossMagnification(Aggregator):
    """Hierarchical attention over magnifications, then fusion with a learnt importance of each.

    A view is embedded and told its magnification by a learnt vector. It then attends to the views
    of lower magnification in its bag, then to all of them, and the views are mixed by the
    importance of their magnifications: a softmax over those that are there, shared evenly among
    the views of one. What a case lacks is absent; nothing stands in for it.

    Args:
        width: numbers per instance.
        scales: magnifications as instances have them, or µm/px, in any order.
        inner: width of the embedding.
        heads: of both attentions.
        finer: which end attends to the other: `high` where a larger scale is finer
            (magnifications), `low` where a smaller one is (µm/px).
    """

    scales: Tensor

    def __init__(
        self,
        width: int,
        *,
        scales: Sequence[float | int],
        inner: int = 256,
        heads: int = 8,
        finer: str = "high",
    ) -> None:
        super().__init__()
        if finer not in {"high", "low"}:
            raise RecipeError(f"model.aggregator.finer is high or low, not {finer!r}")
        if heads < 1 or inner < 1 or inner % heads:
            raise RecipeError(
                f"cross_magnification cannot split {inner} into {heads} heads; choose `inner` as "
                "a multiple of `heads`"
            )
        numbers = sorted(check_scales(scales, "model.aggregator.scales"), reverse=finer == "low")
        self._inner = inner
        self.register_buffer("scales", torch.tensor(numbers), persistent=False)
        self.embed = nn.Linear(width, inner)
        self.magnification = nn.Embedding(len(numbers), inner)
        # torch's deviation of 1 drowns what the views show, which the norm then cannot bring back
        nn.init.normal_(self.magnification.weight, std=VECTOR_STD)
        self.hierarchy = BagAttention(inner, heads)
        self.fusion = BagAttention(inner, heads)
        self.importance = nn.Parameter(torch.zeros(len(numbers)))

    @property
    def embedding_width(self) -> int:
        """`inner`."""
        return self._inner

    def forward(self, embedded: Embedded) -> Pooled:
        """Each view asks the coarser ones, then all; then they are mixed by importance."""
        starts, rank = embedded.starts, self._ranks(embedded)
        hidden = self.embed(embedded.values) + self.magnification(rank)
        hidden = self.fusion(self.hierarchy(hidden, starts, rank), starts)
        with in_full(hidden.device):
            scores = (self.importance[rank] - self._crowd(rank, starts).log())[:, None]
            weights = segment_softmax(scores, starts)
            mixed = segment_sum(weights * hidden, starts)
        return Pooled(
            embedding=mixed[:, None],
            weights=weights,
            scores=scores,
            instances=hidden,
            starts=starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )

    def importances(self) -> dict[float, float]:
        """The learnt share of each magnification in a case that has them all."""
        shares = self.importance.detach().softmax(0)
        return dict(zip(self.scales.tolist(), shares.tolist(), strict=True))

    def _crowd(
        self, rank: Int[Tensor, " T"], starts: Int[Tensor, " bounds"]
    ) -> Float[Tensor, " T"]:
        """How many instances of a bag share an instance's magnification."""
        count = rank.shape[0]
        each = torch.eye(len(self.scales), device=rank.device)[rank]  # [T, S]
        of_bag = segment_sum(each, starts)[owners(starts, count)]
        return of_bag.gather(1, rank[:, None])[:, 0]

    def _ranks(self, embedded: Embedded) -> Int[Tensor, " T"]:
        """The place of each instance's magnification, from coarse to fine."""
        return near_scales(embedded, self.scales, "cross_magnification").int().argmax(1)
