"""Attention pooling, plain and gated: the bag decides which of its instances speak."""

from collections.abc import Sequence
from typing import ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.attention import (
    HeadwiseLinear,
    Scored,
    branch_count,
    dropped_by_head,
    pool_by_scores,
    scored,
    widths,
)
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.deciders import DECIDING, Few, learns, through_few
from wholecase.models.dropout import Rows, dropout_share, dropped_relu
from wholecase.models.gating import gated
from wholecase.models.hidden import hidden_layers
from wholecase.models.products import linear
from wholecase.models.running import BLOCK, attend

LARGE = 65_536
"""Up to so many instances of a step are differentiated at once. Of more, nothing is kept but what
pooling needs, and each block goes through the network twice."""


class Attention(Aggregator):
    """Attention pooling with a tanh layer (Ilse 2018, eq. 8; sizes of Lu 2021).

    Args:
        width: numbers per instance.
        classes: how many, for `multi`.
        size: `small` embeds to 512 and attends by 256, `big` by 384; `tiny` embeds to 64 and
            attends by 64, as Ilse 2018 on the classic sets.
        heads: parts of the embedding that attend on their own; 1 is the published form.
        branches: `single` attention for the case, or `multi`, one per class.
        dropout: after each hidden layer, after the embedding and after the tanh.
        hidden: widths of the layers that each instance goes through before it is embedded.
        backward: below 1 learns from so many of the instances of a step, 64 at least, drawn by
            their part in the gradient and weighed so that its mean stays what it is.
        tolerance: above 0 leaves out the instances with the least part in the gradient, so much of
            it at most.
    """

    gated: ClassVar[bool] = False

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int = 2,
        *,
        size: str = "big",
        heads: int = 1,
        branches: str = "single",
        dropout: float = 0.25,
        hidden: Sequence[int] = (),
        backward: float = 1.0,
        tolerance: float = 0.0,
    ) -> None:
        super().__init__()
        self._few = Few(backward, tolerance)
        if hidden and dropout and self._few != DECIDING:
            raise RecipeError(
                "model.aggregator.backward and tolerance draw the dropout of single instances "
                "again, and hidden layers have one of their own; set dropout: 0 or hidden: []"
            )
        embedding, attention = widths(size, heads)
        self._embedding, self._heads = embedding, heads
        self._branches = branch_count(branches, classes)
        self.hidden = hidden_layers(width, hidden, dropout)
        # a sequence of one: the layer keeps the name that checkpoints know it by
        self.embed = nn.Sequential(nn.Linear([width, *hidden][-1], embedding))
        self.signal = HeadwiseLinear(heads, embedding // heads, attention // heads)
        if self.gated:  # between both: the weights are drawn in this order
            self.gate = HeadwiseLinear(heads, embedding // heads, attention // heads)
        self.score = HeadwiseLinear(heads, attention // heads, self._branches)
        self._dropout = dropout_share(dropout)

    @property
    def embedding_width(self) -> int:
        """512, and 64 in size `tiny`."""
        return self._embedding

    @property
    def branches(self) -> int:
        """One, or one per class."""
        return self._branches

    def forward(self, embedded: Embedded) -> Pooled:
        """Score every instance, then mix each bag by the softmax of its scores."""
        if not (self.training and learns(self) and self._asks_twice(len(embedded.values))):
            return attend(self._scored, embedded)
        both = through_few(self._both, embedded.values, self.parameters(), self._few, block=BLOCK)
        return pool_by_scores(Scored(*both), embedded)

    def _asks_twice(self, count: int) -> bool:
        """Whether instances are scored without a graph first: to learn from few, or from many."""
        if self._few != DECIDING:
            return True
        return count > LARGE and not (self.hidden and self._dropout)

    def _both(self, values: Float[Tensor, "T D"], rows: Rows | None) -> tuple[Tensor, ...]:
        part = self._scored(values, rows)
        return part.hidden, part.scores

    def _scored(self, values: Float[Tensor, "T D"], rows: Rows | None = None) -> Scored:
        share = self._dropout if self.training else 0.0
        weight, bias = self.embed.parameters()
        hidden = dropped_relu(linear(self.hidden(values), weight, bias), share, rows)  # [T, E]
        parts = hidden.view(hidden.shape[0], self._heads, -1)  # [T, heads, E / heads]
        if self.gated:
            signal = gated(parts, self.signal, self.gate, share, rows)
        else:
            signal = dropped_by_head(torch.tanh(self.signal(parts)), share, rows)
        return scored(hidden, signal, self.score)


@final
class GatedAttention(Attention):
    """Attention pooling with a tanh and a sigmoid branch (Ilse 2018, eq. 9; sizes of Lu 2021).

    Instances are embedded by Linear, ReLU and dropout; the embedding is split into `heads` parts,
    each with its own gate and its own softmax over the instances of a bag. The weight shown for an
    instance is the mean over heads.

    Args:
        width: numbers per instance.
        classes: how many, for `multi`.
        size: `small` embeds to 512 with a gate of 256, `big` to 512 with a gate of 384, `tiny` to
            64 with a gate of 64.
        heads: parts of the embedding that attend on their own; 1 is the published form.
        branches: `single` attention for the case (CLAM-SB), or `multi`, one per class (CLAM-MB).
        dropout: after each hidden layer, the embedding, and both branches of the gate.
        hidden: widths of the layers that each instance goes through before it is embedded.
        backward: below 1 learns from so many of the instances of a step, 64 at least, drawn by
            their part in the gradient and weighed so that its mean stays what it is.
        tolerance: above 0 leaves out the instances with the least part in the gradient, so much of
            it at most.
    """

    gated = True

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        width: int,
        classes: int = 2,
        *,
        size: str = "big",
        heads: int = 8,
        branches: str = "single",
        dropout: float = 0.25,
        hidden: Sequence[int] = (),
        backward: float = 1.0,
        tolerance: float = 0.0,
    ) -> None:
        super().__init__(
            width,
            classes,
            size=size,
            heads=heads,
            branches=branches,
            dropout=dropout,
            hidden=hidden,
            backward=backward,
            tolerance=tolerance,
        )
