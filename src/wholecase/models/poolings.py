"""Pool decisions: instance logits -> case logit, for recipes that `decide: instance`."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.models.segments import owners, segment_argmax, segment_mean


@dataclass(frozen=True)
class Decided:
    """The case's logits, and how much each instance had to do with them."""

    logits: Float[Tensor, "B L"]
    weights: Float[Tensor, "T L"]
    """Within a bag they sum to 1."""


class Pooling(nn.Module, ABC):
    """Every member is built as `Member(**options)`."""

    @abstractmethod
    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """Pool each bag on its own."""


@final
class MaxLogit(Pooling):
    """The most suspicious instance decides, per logit."""

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """The first of equals wins."""
        winners = segment_argmax(logits.detach(), starts)  # [B, L]
        weights = logits.new_zeros(logits.shape).scatter(0, winners, 1.0)
        return Decided(logits=logits.gather(0, winners), weights=weights)


@final
class MeanLogit(Pooling):
    """All instances have the same say."""

    def forward(self, logits: Float[Tensor, "T L"], starts: Int[Tensor, " bounds"]) -> Decided:
        """Average the logits."""
        share = (1 / starts.diff().to(logits.dtype))[owners(starts, logits.shape[0])]
        return Decided(
            logits=segment_mean(logits, starts), weights=share[:, None].expand(logits.shape)
        )


POOLINGS: dict[str, type[Pooling]] = {"max": MaxLogit, "mean": MeanLogit}
