"""A backbone that can be stopped half way: what Grad-CAM asks for, and nothing else."""

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from wholecase.models.backbones.backbone import Backbone
from wholecase.models.batch import Batch, Embedded


class Mapped(Backbone):
    """Network input becomes the maps of the last convolution, the maps become vectors."""

    @property
    def has_maps(self) -> bool:
        """Whether it can be stopped there; not where it is made of networks that cannot."""
        return True

    @abstractmethod
    def features(self, batch: Batch) -> Float[Tensor, "T E h w"]:
        """Activations of the last convolution, of all instances at once.

        The values of the batch are network input, or what the link that it is `after` made of it.
        """

    @abstractmethod
    def embedded(self, maps: Float[Tensor, "T E h w"], batch: Batch) -> Embedded:
        """Vectors of the maps; `batch` says whose they are."""

    def forward(self, batch: Batch) -> Embedded:
        """One after the other."""
        return self.embedded(self.features(batch), batch)


def mapped(network: Backbone | None) -> Mapped | None:
    """The network, where it can be stopped at its maps."""
    return network if isinstance(network, Mapped) and network.has_maps else None
