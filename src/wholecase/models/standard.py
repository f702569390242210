"""Network input by the mean and deviation of the training patients."""

from collections.abc import Iterable
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn


@final
class Standard(nn.Module):
    """Each channel has mean 0 and deviation 1 over all pixels of those that teach.

    What was learnt travels with the model; until then the input stays as it is.

    Args:
        channels: of the input.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("deviation", torch.ones(channels))

    def learn(self, inputs: Iterable[Float[Tensor, "T C H W"]]) -> None:
        """From the network input of those that teach, in double precision.

        A channel that never changes keeps the deviation 1.
        """
        count = 0
        total = torch.zeros_like(self.mean, dtype=torch.float64)
        square = torch.zeros_like(total)
        for values in inputs:
            pixels = values.to(total).transpose(0, 1).flatten(1)  # [C, T H W]
            count += pixels.shape[1]
            total += pixels.sum(1)
            square += pixels.square().sum(1)
        if not count:
            return
        mean = total / count
        deviation = (square / count - mean.square()).clamp_min(0).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, values: Float[Tensor, "T C H W"]) -> Float[Tensor, "T C H W"]:
        """Standardised."""
        return (values - self.mean.view(-1, 1, 1)) / self.deviation.view(-1, 1, 1)
