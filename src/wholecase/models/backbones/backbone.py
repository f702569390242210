"""A trainable network at the front of a model: packed pixels -> packed vectors."""

from abc import ABC, abstractmethod

from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.models.batch import Batch, Embedded
from wholecase.models.pixels import as_float


class Backbone(nn.Module, ABC):
    """Every member is built as `Member(width, **options)`; width is the number of channels.

    It works in two steps, so that an explanation can stop between them: pixels become the maps of
    the last convolution, the maps become vectors.
    """

    @property
    @abstractmethod
    def width(self) -> int:
        """D, numbers per vector."""

    @abstractmethod
    def features(self, pixels: Float[Tensor, "T C H W"]) -> Float[Tensor, "T E h w"]:
        """Activations of the last convolution, of all instances at once: what Grad-CAM reads."""

    @abstractmethod
    def embedded(
        self,
        maps: Float[Tensor, "T E h w"],
        starts: Int[Tensor, " bounds"],
        scale: Float[Tensor, " T"] | None = None,
    ) -> Embedded:
        """Vectors of the maps.

        Where an instance becomes several, `starts` counts vectors, `origin` says which instance
        each came from, and `cell` where in it.
        """

    def forward(self, batch: Batch) -> Embedded:
        """Encode all instances of the batch; bytes and numbers in [0, 1] are both taken."""
        return self.embedded(self.features(as_float(batch.values)), batch.starts, batch.scale)
