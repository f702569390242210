"""A network for each magnification; what a case lacks is absent, and nothing stands in for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.backbone import Backbone, Build
from wholecase.models.backbones.mapped import Mapped, mapped
from wholecase.models.batch import Batch, Embedded
from wholecase.models.scales import check_scales, first_stranger, is_of_scale, told
from wholecase.models.segments import owners

Network = TypeVar("Network", bound=Backbone)


@final
class PerMagnification(Mapped):
    """Each instance goes through the network of its scale; it has maps where these have some.

    Args:
        build: makes the networks.
        scales: as instances have them: magnifications, or µm/px.
        network: that is built once for each scale.
        shared: one network sees all scales; others are refused all the same.
    """

    scales: Tensor

    def __init__(
        self, build: Build, *, scales: Sequence[float | int], network: object, shared: bool = False
    ) -> None:
        super().__init__()
        numbers = check_scales(scales, "model.backbone.scales")
        networks = [build(network) for _ in (scales[:1] if shared else scales)]
        self._width = networks[0].width
        self.networks = nn.ModuleList(networks)
        self.register_buffer("scales", torch.tensor(numbers), persistent=False)

    @property
    def width(self) -> int:
        """The same for all scales."""
        return self._width

    @property
    def has_maps(self) -> bool:
        """Where all of its networks can be stopped there."""
        return all(mapped(network) for network in self._each())

    @property
    def links(self) -> tuple[str, ...]:
        """Those of the shared network; none where there is one for each scale."""
        first, *others = self._each()
        return () if others else tuple(f"networks.0.{link}" for link in first.links)

    def until(self, values: Tensor, link: str) -> Tensor:
        """Within the shared network."""
        return self._each()[0].until(values, link.removeprefix("networks.0."))

    def features(self, batch: Batch) -> Float[Tensor, "T E h w"]:
        """Maps in the order of the instances, whatever network they come from."""
        which, own = self._which(batch), self._each_mapped()
        if len(own) == 1:
            return own[0].features(_inside(batch))
        parts = [(rows, net.features(part)) for rows, net, part in _dealt(batch, which, own)]
        order = torch.cat([rows for rows, _ in parts]).argsort()
        return torch.cat([maps for _, maps in parts])[order]

    def embedded(self, maps: Float[Tensor, "T E h w"], batch: Batch) -> Embedded:
        """Vectors of the maps, each by the network that it came from."""
        which, own = self._which(batch), self._each_mapped()
        if len(own) == 1:
            return own[0].embedded(maps, batch)
        dealt = _dealt(batch, which, own)
        return _in_order(batch, [(rows, net.embedded(maps[rows], p)) for rows, net, p in dealt])

    def forward(self, batch: Batch) -> Embedded:
        """Vectors in the order of the instances, whatever network they come from."""
        exporting = torch.compiler.is_exporting()
        which, own = self._nearest(batch) if exporting else self._which(batch), self._each()
        if len(own) == 1:
            alike: Embedded = own[0](_inside(batch))
            return alike
        if exporting:  # a graph has no rows that depend on numbers
            return self._chosen(batch, which)
        dealt = _dealt(batch, which, own)
        return _in_order(batch, [(rows, net(part)) for rows, net, part in dealt])

    def _each(self) -> list[Backbone]:
        return [network for network in self.networks if isinstance(network, Backbone)]

    def _each_mapped(self) -> list[Mapped]:
        own = [network for each in self._each() if (network := mapped(each)) is not None]
        if len(own) < len(self.networks):
            raise ValueError("these networks have no maps")
        return own

    def _chosen(self, batch: Batch, which: Int[Tensor, " T"]) -> Embedded:
        """All networks see all instances, and of each the answer of its own is taken."""
        told: list[Embedded] = [network(batch) for network in self.networks]
        count = batch.values.shape[0]
        own = torch.eye(len(told), device=which.device)[which]  # [T, S]
        each = torch.stack([one.values.view(count, -1, self.width) for one in told], 1)
        values = (each * own.to(each.dtype)[:, :, None, None]).sum(1)  # [T, cells, D]
        return replace(told[0], values=values.flatten(0, 1))

    def _nearest(self, batch: Batch) -> Int[Tensor, " T"]:
        assert batch.scale is not None, "a graph of scales has them"  # noqa: S101
        return is_of_scale(batch.scale, self.scales).int().argmax(1)

    def _which(self, batch: Batch) -> Int[Tensor, " T"]:
        """The number of each instance's scale."""
        if batch.scale is None:
            raise RecipeError(
                "the backbone 'per_magnification' chooses by scale, and these instances have none; "
                "give their magnification or spacing"
            )
        near = is_of_scale(batch.scale, self.scales)
        if (at := first_stranger(near)) is not None:
            case = batch.cases[int(owners(batch.starts)[at])]
            raise RecipeError(
                f"case {case!r} has an instance of the scale {float(batch.scale[at]):g}, and "
                f"model.backbone.scales are {told(self.scales)}; add it, or leave the image out"
            )
        return near.int().argmax(1)


def _inside(batch: Batch) -> Batch:
    """As the shared network takes it."""
    return replace(batch, after=batch.after.removeprefix("networks.0."))


def _dealt(
    batch: Batch, which: Int[Tensor, " T"], networks: Sequence[Network]
) -> list[tuple[Int[Tensor, " _"], Network, Batch]]:
    """For each network that has instances their rows, itself, and these instances."""
    rows = [(which == number).nonzero()[:, 0] for number in range(len(networks))]
    return [
        (own, network, batch.apart(own))
        for own, network in zip(rows, networks, strict=True)
        if len(own)
    ]


def _in_order(batch: Batch, parts: Sequence[tuple[Int[Tensor, " _"], Embedded]]) -> Embedded:
    """The vectors of all parts, put back where their instances stand."""
    several = parts[0][1].origin is not None
    origin = torch.cat([r if e.origin is None else r[e.origin] for r, e in parts])
    order = origin.argsort(stable=True)  # vectors of one instance keep their order
    origin = origin[order]
    values: Float[Tensor, "V D"] = torch.cat([e.values for _, e in parts])[order]
    cells = [e.cell for _, e in parts if e.cell is not None]
    return Embedded(
        values=values,
        starts=torch.searchsorted(origin, batch.starts),
        scale=None if batch.scale is None else batch.scale[origin],
        origin=origin if several else None,
        cell=torch.cat(cells)[order] if cells else None,
    )
