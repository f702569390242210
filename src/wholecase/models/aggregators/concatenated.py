"""Scales side by side: the plain way of bringing magnifications together."""

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.scales import check_scales, near_scales
from wholecase.models.segments import owners, segment_sum


@final
class Concatenated(Aggregator):
    """The mean of a bag's instances of each scale, one after the other; zeros for a scale it lacks.

    No parameters: the baseline that attention over scales has to beat. Scales weigh alike, and so
    do the instances of one.

    Args:
        width: numbers per instance.
        scales: magnifications as instances have them, or µm/px; their order is that of the parts.
    """

    scales: Tensor

    def __init__(self, width: int, *, scales: Sequence[float | int]) -> None:
        super().__init__()
        numbers = check_scales(scales, "model.aggregator.scales")
        self._width = width * len(numbers)
        self.register_buffer("scales", torch.tensor(numbers), persistent=False)

    @property
    def embedding_width(self) -> int:
        """The width of the instances, once for each scale."""
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        """Average each scale of each bag."""
        near = near_scales(embedded, self.scales, "concatenated")
        values, starts = embedded.values, embedded.starts
        owner = owners(starts, values.shape[0])
        each = near.to(values.dtype)  # [T, S]
        counts = segment_sum(each, starts)  # [B, S]
        placed = (each[:, :, None] * values[:, None]).flatten(1)  # [T, S * D], at its scale's place
        crowd = (counts[owner] * each).sum(1)
        weights = 1 / (crowd * (counts > 0).sum(1)[owner])
        return Pooled(
            embedding=segment_sum(placed / crowd[:, None], starts)[:, None],
            weights=weights[:, None],
            scores=weights.log()[:, None],
            instances=placed,
            starts=starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )
