"""The plain mean: the baseline that every attention model has to beat."""

from collections.abc import Sequence
from typing import final

from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.hidden import hidden_layers
from wholecase.models.segments import owners, segment_mean


@final
class MeanPool(Aggregator):
    """Mean of the instances; each weighs 1/n. No parameters but those of hidden layers.

    Args:
        width: numbers per instance.
        hidden: widths of the layers that each instance goes through first.
        dropout: after each of them.
    """

    def __init__(self, width: int, *, hidden: Sequence[int] = (), dropout: float = 0.25) -> None:
        super().__init__()
        self.hidden = hidden_layers(width, hidden, dropout)
        self._width = [width, *hidden][-1]

    @property
    def embedding_width(self) -> int:
        """The width of the last hidden layer, or of the instances."""
        return self._width

    def forward(self, embedded: Embedded) -> Pooled:
        """Average each bag."""
        values, starts = self.hidden(embedded.values), embedded.starts  # [T, E]
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
