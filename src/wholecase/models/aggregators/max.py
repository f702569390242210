"""The maximum of each feature over the bag."""

from typing import final

from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.segments import segment_argmax


@final
class MaxPool(Aggregator):
    """Each feature's maximum; an instance weighs the share of features that it won."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    @property
    def embedding_width(self) -> int:
        """The width of the instances."""
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        """Take each bag's largest values; the first of equals wins."""
        values, starts = embedded.values, embedded.starts
        winners = segment_argmax(values.detach(), starts)  # [B, D]
        won = values.new_zeros(values.shape[0]).index_add(
            0, winners.flatten(), values.new_ones(winners.numel())
        )
        weights = (won / self._width)[:, None]
        return Pooled(
            embedding=values.gather(0, winners)[:, None],
            weights=weights,
            scores=weights,
            instances=values,
            starts=starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )
