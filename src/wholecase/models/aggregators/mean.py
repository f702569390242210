"""The plain mean: the baseline that every attention model has to beat."""

from typing import final

from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.segments import owners, segment_mean


@final
class MeanPool(Aggregator):
    """Mean of the instances; each weighs 1/n. No parameters."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    @property
    def embedding_width(self) -> int:
        """The width of the instances."""
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        """Average each bag."""
        values, starts = embedded.values, embedded.starts
        lengths = starts.diff().to(values.dtype)
        weights = (1 / lengths)[owners(starts, values.shape[0])][:, None]
        return Pooled(
            embedding=segment_mean(values, starts)[:, None],
            weights=weights,
            scores=weights.new_zeros(weights.shape),
            instances=values,
            starts=starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )
