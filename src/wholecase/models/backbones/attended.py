"""Maps of a network weighed by place and by channel before they become one vector each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.backbone import Build
from wholecase.models.backbones.mapped import Mapped, mapped
from wholecase.models.batch import Batch, Embedded
from wholecase.models.precision import in_full, raised


@final
class MultiScaleSpatialAttention(nn.Module):
    """Where to look, scored on maps averaged over 1, 2, 4 ... cells and fused into one map.

    Each scale has two 1x1 convolutions of its own; its scores are brought back to the grid, and a
    last 1x1 convolution mixes the scales. A softmax over the places makes weights of them.

    Args:
        width: channels of the maps.
        scales: cells along a side that are averaged before places are scored.
        inner: channels between the two convolutions.
    """

    def __init__(self, width: int, scales: Sequence[int], inner: int) -> None:
        super().__init__()
        self._scales = tuple(scales)
        self.scores = nn.ModuleList(
            nn.Sequential(nn.Conv2d(width, inner, 1), nn.ReLU(), nn.Conv2d(inner, 1, 1))
            for _ in self._scales
        )
        self.fuse = nn.Conv2d(len(self._scales), 1, 1, bias=False)
        nn.init.constant_(self.fuse.weight, 1 / len(self._scales))

    def forward(self, maps: Float[Tensor, "T E h w"]) -> Float[Tensor, "T 1 h w"]:
        """Weights of the places; those of an instance have the mean 1."""
        height, width = maps.shape[2:]
        scored = []
        for scale, score in zip(self._scales, self.scores, strict=True):
            coarse = F.adaptive_avg_pool2d(maps, (-(-height // scale), -(-width // scale)))
            scored.append(F.interpolate(score(coarse), (height, width), mode="bilinear"))
        fused = self.fuse(torch.cat(scored, 1))
        with in_full(maps.device):
            weights = raised(fused).flatten(1).softmax(1) * (height * width)
        return weights.view(-1, 1, height, width)


@final
class ChannelAttention(nn.Module):
    """Squeeze and excitation (Hu 2018) from mean and maximum through the same layers (Woo 2018).

    Args:
        width: channels of the maps.
        inner: width between the two layers.
    """

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, inner, bias=False), nn.ReLU(), nn.Linear(inner, width, bias=False)
        )

    def forward(self, maps: Float[Tensor, "T E h w"]) -> Float[Tensor, "T E"]:
        """The mean of each map, times a share between 0 and 1 that is the channel's."""
        mean = maps.mean((2, 3))
        gate = torch.sigmoid(self.layers(mean) + self.layers(maps.amax((2, 3))))
        return mean * gate


@final
class Attended(Mapped):
    """A network of maps, spatial attention at several scales, then channel attention.

    Args:
        build: makes the network.
        network: of maps, such as `{name: resnet_grey, network: efficientnet_b1}`.
        scales: cells of the map that are averaged before places are scored.
        reduction: channels are so many times fewer between the layers of both attentions.
    """

    def __init__(
        self,
        build: Build,
        *,
        network: object,
        scales: Sequence[int] = (1, 2, 4),
        reduction: int = 16,
    ) -> None:
        super().__init__()
        inside = mapped(build(network))
        if inside is None:
            raise RecipeError("the backbone 'attended' weighs maps, and its network has none")
        if not scales or min(scales) < 1 or reduction < 1:
            raise RecipeError(
                "the backbone 'attended' needs scales and a reduction of 1 or more, not "
                f"{list(scales)} and {reduction}"
            )
        self.network = inside
        inner = max(1, self.width_of_maps // reduction)
        self.places = MultiScaleSpatialAttention(self.width_of_maps, scales, inner)
        self.channels = ChannelAttention(self.width_of_maps, inner)

    @property
    def width_of_maps(self) -> int:
        """Channels of the maps."""
        return self.network.width

    @property
    def width(self) -> int:
        """That of the maps."""
        return self.width_of_maps

    @property
    def links(self) -> tuple[str, ...]:
        """Those of the network: its maps can be kept while the attention learns."""
        return tuple(f"network.{link}" for link in self.network.links)

    def until(self, values: Tensor, link: str) -> Tensor:
        """Within the network."""
        return self.network.until(values, link.removeprefix("network."))

    def features(self, batch: Batch) -> Float[Tensor, "T E h w"]:
        """The maps of the network."""
        inside = replace(batch, after=batch.after.removeprefix("network."))
        return self.network.features(inside)

    def embedded(self, maps: Float[Tensor, "T E h w"], batch: Batch) -> Embedded:
        """One vector of each instance."""
        attended = maps * self.places(maps).to(maps.dtype)
        return Embedded(self.channels(attended), batch.starts, batch.scale)
