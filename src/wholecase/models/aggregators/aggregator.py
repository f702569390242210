"""Pools embeddings: instances -> embedding of the case, and each instance's weight."""

from abc import ABC, abstractmethod

from torch import nn

from wholecase.models.batch import Embedded, Pooled


class Aggregator(nn.Module, ABC):
    """Every member is built as `Member(width, **options)`."""

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
