"""A published convolutional network on pixels of any number of channels, such as CT in windows."""

import itertools
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.created import created, file_of
from wholecase.models.backbones.links import links_of
from wholecase.models.backbones.mapped import Mapped
from wholecase.models.backbones.recomputed import has_learning_norm, recomputed
from wholecase.models.batch import Batch, Embedded
from wholecase.weights import load_weights

COLOURS = 3
"""Channels of what published networks were taught on."""


@final
class ResNetGrey(Mapped):
    """ResNet-50 (He 2016), or another network of timm, without its classifier; one vector each.

    Its modules keep their names below `network`, so that stages can name them:
    `backbone.network.layer4`. Maps are averaged over the image.

    Args:
        width: channels of the pixels.
        network: timm's name of a convolutional network.
        weights: a local file to begin with, under the names of torchvision, timm or RadImageNet, or
            `package:NAME`; null begins at random.
        arguments: what `timm.create_model` must be told besides; those that a sidecar of the
            weights names must be among them.
        first_conv: how filters for three colours become filters for other channels: their `mean`,
            or their `sum`, which answers to grey as the network did to equal colours. Several
            channels share it; where there are three, the filters stay as they are.
        slices: most instances that go through the network at once; what lies between is then
            computed anew on the way back. Where BatchNorm learns, the instances of a step share
            their statistics: parts that sleep still see so many at once, and of each block that
            learns only what comes out is kept.
    """

    def __init__(
        self,
        width: int,
        *,
        network: str = "resnet50",
        weights: str | None = None,
        arguments: Mapping[str, Any] | None = None,
        first_conv: Literal["mean", "sum"] = "mean",
        slices: int = 32,
    ) -> None:
        super().__init__()
        if slices < 1:
            raise RecipeError(f"model.backbone.slices is 1 or more, not {slices}")
        self._name, self._channels, self._arguments = network, width, dict(arguments or {})
        self._weights, self._first_conv, self._slices = weights, first_conv, slices
        self.network = self._made(width)

    @property
    def width(self) -> int:
        """Channels of the last maps: 2048 of ResNet-50."""
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
        if self.file is None:
            return
        published = self._made(COLOURS)
        load_weights(published, file_of(self._name, self.file, self._arguments), least=1.0)
        state = published.state_dict()
        first = f"{_first(published, self._name)}.weight"
        state[first] = adapted(state[first], self._channels, self._first_conv)
        self.network.load_state_dict(state)

    @cached_property
    def links(self) -> tuple[str, ...]:
        """Such as conv1, bn1, act1, maxpool, layer1.0 and so on, below `network`."""
        network: Any = self.network
        return tuple(
            f"network.{name}"
            for name in links_of(network, network.forward_features, self._channels)
        )

    def until(self, values: Float[Tensor, "T C H W"], link: str) -> Float[Tensor, "T E h w"]:
        """A part of the instances at a time."""
        names = self.links[: self.links.index(link) + 1]
        parts = torch.split(values, self._slices)
        return torch.cat([self._through(names, part) for part in parts])

    def features(self, batch: Batch) -> Float[Tensor, "T E h w"]:
        """The maps before averaging, a part of the instances at a time."""
        values, after = batch.values, batch.after
        if torch.compiler.is_exporting() or len(values) <= self._slices:
            return self._maps(values, after)
        if has_learning_norm(self.network):
            return self._together(values, after)
        return torch.cat([self._part(part, after) for part in torch.split(values, self._slices)])

    def embedded(self, maps: Float[Tensor, "T E h w"], batch: Batch) -> Embedded:
        """The mean over each map."""
        return Embedded(maps.mean((2, 3)), batch.starts, batch.scale)

    def _made(self, channels: int) -> nn.Module:
        return created(self._name, channels, "resnet50", **self._arguments)

    def _part(self, values: Float[Tensor, "t C H W"], after: str) -> Float[Tensor, "t E h w"]:
        learns = any(p.requires_grad for p in self.network.parameters())
        if not (learns and torch.is_grad_enabled()):
            return self._maps(values, after)
        maps: Tensor = checkpoint(self._maps, values, after, use_reentrant=False)
        return maps

    def _together(self, values: Float[Tensor, "T C H W"], after: str) -> Float[Tensor, "T E h w"]:
        """All at once where BatchNorm learns; what lies within its blocks is computed anew."""
        names = list(self.links[self.links.index(after) + 1 :] if after else self.links)
        if not names:
            return self._maps(values, after)
        sleeping = list(itertools.takewhile(lambda name: not self._wakes(name), names))
        if sleeping:
            parts = torch.split(values, self._slices)
            values = torch.cat([self._through(sleeping, part) for part in parts])
        for name in names[len(sleeping) :]:
            values = recomputed(self.get_submodule(name), values)
        return values

    def _wakes(self, name: str) -> bool:
        part = self.get_submodule(name)
        return any(p.requires_grad for p in part.parameters()) or has_learning_norm(part)

    def _maps(self, values: Float[Tensor, "t C H W"], after: str) -> Float[Tensor, "t E h w"]:
        network: Any = self.network
        if after:
            return self._through(self.links[self.links.index(after) + 1 :], values)
        maps: Tensor = network.forward_features(values)
        if maps.dim() != 4 or maps.shape[1] != self.width:
            raise RecipeError(
                f"timm's {self._name} has no maps of a convolution; name one that has, such as "
                "resnet50, under model.backbone.network"
            )
        return maps

    def _through(self, names: Sequence[str], values: Tensor) -> Tensor:
        for name in names:
            values = self.get_submodule(name)(values)
        return values


def adapted(
    filters: Float[Tensor, "O 3 kh kw"], channels: int, how: Literal["mean", "sum"]
) -> Float[Tensor, "O C kh kw"]:
    """Filters for three colours as filters for so many channels."""
    if channels == COLOURS:
        return filters
    grey = filters.mean(1, keepdim=True) if how == "mean" else filters.sum(1, keepdim=True)
    return grey.repeat(1, channels, 1, 1) / channels


def _first(network: nn.Module, name: str) -> str:
    """The name of the first convolution."""
    noted = getattr(network, "pretrained_cfg", None) or {}
    first = noted.get("first_conv")
    if not isinstance(first, str):
        raise RecipeError(
            f"timm does not tell the first convolution of {name}; begin at random (weights: null), "
            "or name another network"
        )
    return first
