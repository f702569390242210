"""Attention that leaves most instances out: sparsemax instead of softmax (Martins 2016)."""

from typing import final

import torch
from torch import Tensor, nn

from wholecase.models import Aggregator, Embedded, Pooled


def sparsemax(scores: Tensor) -> Tensor:
    """The point of the simplex that is nearest to the scores [N]; zeros are exact."""
    falling = scores.sort(descending=True).values
    ranks = torch.arange(1, len(scores) + 1, device=scores.device)
    sums = falling.cumsum(0)
    kept = int((1 + ranks * falling > sums).sum())
    return (scores - (sums[kept - 1] - 1) / kept).clamp_min(0)


@final
class SparseAttention(Aggregator):
    """Attention with weights that are exactly 0 for most instances.

    Args:
        width: numbers per instance.
        hidden: width of the layer that scores an instance.
    """

    no_onnx = "sparsemax sorts each bag and keeps as many as it finds"

    def __init__(self, width: int, *, hidden: int = 64) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, hidden), nn.Tanh(), nn.Linear(hidden, 1))
        self._width = width

    @property
    def embedding_width(self) -> int:
        """That of the instances."""
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        """Each bag on its own."""
        scores = self.score(embedded.values)[:, 0]  # [T]
        lengths = embedded.starts.diff().tolist()
        weights = torch.cat([sparsemax(own) for own in scores.split(lengths)])
        weighed = (weights[:, None] * embedded.values).split(lengths)
        return Pooled(
            embedding=torch.stack([own.sum(0) for own in weighed])[:, None],  # [B, 1, E]
            weights=weights[:, None],
            scores=scores[:, None],
            instances=embedded.values,
            starts=embedded.starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )
