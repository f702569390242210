"""The maximum of each feature over the bag."""

from collections.abc import Sequence
from typing import final

from wholecase.models.aggregators.aggregator import Aggregator
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.hidden import hidden_layers
from wholecase.models.segments import owners, segment_argmax, segment_sum


@final
class MaxPool(Aggregator):
    """Each feature's maximum; an instance weighs the share of features that it won.

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
        """Take each bag's largest values; equals share what they won."""
        values, starts = self.hidden(embedded.values), embedded.starts  # [T, E]
        won = values.gather(0, segment_argmax(values.detach(), starts))  # [B, E]
        owner = owners(starts, values.shape[0])
        # behind a ReLU whole bags are equal, at zero
        equal = (values.detach() == won.detach()[owner]).to(values.dtype)
        share = equal / segment_sum(equal, starts)[owner]
        weights = share.mean(1, keepdim=True)
        return Pooled(
            embedding=won[:, None],
            weights=weights,
            scores=weights,
            instances=values,
            starts=starts,
            origin=embedded.origin,
            cell=embedded.cell,
        )
