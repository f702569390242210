"""A trainable network at the front of a model: packed pixels -> packed vectors."""

from abc import ABC, abstractmethod

from torch import nn

from wholecase.models.batch import Batch, Embedded


class Backbone(nn.Module, ABC):
    """May return several vectors per instance, and then says in `origin` where each came from."""

    @property
    @abstractmethod
    def width(self) -> int:
        """D, numbers per vector."""

    @abstractmethod
    def forward(self, batch: Batch) -> Embedded:
        """Encode all instances of the batch at once."""
