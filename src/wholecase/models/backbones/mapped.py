"""A backbone that can be stopped half way: what Grad-CAM asks for, and nothing else."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from wholecase.models.backbones.backbone import Backbone
from wholecase.models.batch import Batch, Embedded


class Mapped(Backbone):
    """Network input becomes the maps of the last convolution, the maps become vectors."""

    @abstractmethod
    def features(
        self, values: Float[Tensor, "T C H W"], after: str = ""
    ) -> Float[Tensor, "T E h w"]:
        """Activations of the last convolution, of all instances at once.

        Args:
            values: network input, or what the link `after` made of it.
            after: one of the network's links.
        """

    @abstractmethod
    def embedded(self, maps: Float[Tensor, "T E h w"], batch: Batch) -> Embedded:
        """Vectors of the maps; `batch` says whose they are."""

    def forward(self, batch: Batch) -> Embedded:
        """One after the other."""
        return self.embedded(self.features(batch.values, batch.after), batch)
