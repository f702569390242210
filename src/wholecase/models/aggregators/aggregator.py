"""Pools embeddings: instances -> embedding of the case, and each instance's weight."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

from wholecase.models.batch import Embedded, Pooled


class Aggregator(nn.Module, ABC):
    """Every member is built as `Member(width, **options)`; one that asks for `classes` gets them.

    Its weights are evidence, and all that shows or tests them relies on this: they are 0 or more,
    sum to 1 within a case and branch, and say how much each instance contributed to the embedding.
    They may be sparse. Weights of 0 are ties: in heatmaps and localisation they share one rank, in
    lists and in deletion the earlier instance goes first, and nothing is said of their order.
    """

    no_onnx: ClassVar[str] = ""
    """Why it cannot be exported to ONNX; empty where it can, or where nobody knows yet."""

    @property
    @abstractmethod
    def embedding_width(self) -> int:
        """E, what the head will be given."""

    @property
    def branches(self) -> int:
        """K, how many embeddings a case gets."""
        return 1

    @abstractmethod
    def forward(self, embedded: Embedded) -> Pooled:
        """Pool each bag on its own; nothing crosses from case to case."""
