"""One vector per picture out of a transformer's tokens."""

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class ClassToken(nn.Module):
    """The class token after the last norm."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B E"]:
        """Pictures -> class tokens."""
        first: Tensor = self.network.forward_features(pixels)[:, 0]  # type: ignore[operator]
        return first


@final
class ClassAndMean(nn.Module):
    """The class token beside the mean of the patches; registers count for neither."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B E"]:
        """Pictures -> both, one after the other."""
        tokens: Tensor = self.network.forward_features(pixels)  # type: ignore[operator]
        patches = tokens[:, int(self.network.num_prefix_tokens) :]  # type: ignore[arg-type]
        return torch.cat([tokens[:, 0], patches.mean(1)], dim=1)
