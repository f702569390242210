"""Any network of timm at the front of a model, transformers among them: a vector per instance."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, final

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.backbone import Backbone
from wholecase.models.backbones.created import created, file_of
from wholecase.models.backbones.recomputed import has_learning_norm
from wholecase.models.batch import Batch, Embedded
from wholecase.weights import load_weights


@final
class TimmNetwork(Backbone):
    """What a network of timm gives before its classifier; its modules stand below `network`.

    A vision transformer takes pictures of any side with `arguments: {dynamic_img_size: true}`,
    which interpolates the position embeddings of the side that it was trained at.

    Args:
        width: channels of the pixels.
        network: timm's name.
        weights: a local file to begin with, or `package:NAME`; null begins at random.
        arguments: what `timm.create_model` must be told besides; those that a sidecar of the
            weights names must be among them.
        instances: most that go through the network at once; what lies between is then computed
            anew on the way back. Where BatchNorm learns, all of a step go at once.
    """

    def __init__(
        self,
        width: int,
        *,
        network: str,
        weights: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        instances: int = 32,
    ) -> None:
        super().__init__()
        if instances < 1:
            raise RecipeError(f"model.backbone.instances is 1 or more, not {instances}")
        self._name, self._arguments = network, dict(arguments or {})
        self._weights, self._instances = weights, instances
        self.network = created(network, width, "convnext_large", **self._arguments)

    @property
    def width(self) -> int:
        """Numbers per vector: 1024 of ViT-Large, 1536 of ConvNeXt-Large."""
        network: Any = self.network
        width: int = network.num_features
        return width

    @property
    def file(self) -> Path | None:
        """What `weights` names."""
        return None if self._weights is None else Path(self._weights)

    def check_file(self) -> None:
        """Of another network or other arguments, too, as far as a sidecar tells."""
        if self.file is not None:
            file_of(self._name, self.file, self._arguments)

    def begin(self) -> None:
        """Fill the network from the file.

        Raises:
            WeightsError: it is not there, damaged, not this network's, or lacks a tensor of it.
        """
        if self.file is not None:
            path = file_of(self._name, self.file, self._arguments)
            load_weights(self.network, path, least=1.0)

    def forward(self, batch: Batch) -> Embedded:
        """A part of the instances at a time."""
        whole = torch.compiler.is_exporting() or has_learning_norm(self.network)
        if whole or len(batch.values) <= self._instances:
            return Embedded(self.network(batch.values), batch.starts, batch.scale)
        parts = [self._part(part) for part in torch.split(batch.values, self._instances)]
        return Embedded(torch.cat(parts), batch.starts, batch.scale)

    def _part(self, values: Tensor) -> Tensor:
        learns = any(p.requires_grad for p in self.network.parameters())
        if not (learns and torch.is_grad_enabled()):
            told: Tensor = self.network(values)
            return told
        again: Tensor = checkpoint(self.network, values, use_reentrant=False)
        return again
