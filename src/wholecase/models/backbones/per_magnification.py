"""A network for each magnification; what a case lacks is absent, and nothing stands in for it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.backbone import Backbone, Build
from wholecase.models.batch import Batch, Embedded
from wholecase.models.scales import check_scales, first_stranger, is_of_scale, told
from wholecase.models.segments import owners


@final
class PerMagnification(Backbone):
    """Each instance goes through the network of its scale.

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
    def seeing(self) -> Backbone:
        """The shared network; itself where there is one for each scale."""
        alone = self.networks[0] if len(self.networks) == 1 else self
        assert isinstance(alone, Backbone), "the list holds nothing else"  # noqa: S101
        return alone

    @property
    def links(self) -> tuple[str, ...]:
        """Those of the shared network; none where there is one for each scale."""
        alone = self.seeing
        return () if alone is self else tuple(f"networks.0.{link}" for link in alone.links)

    def until(self, values: Tensor, link: str) -> Tensor:
        """Within the shared network."""
        return self.seeing.until(values, link.removeprefix("networks.0."))

    def forward(self, batch: Batch) -> Embedded:
        """Vectors in the order of the instances, whatever network they come from."""
        exporting = torch.compiler.is_exporting()
        which = self._nearest(batch) if exporting else self._which(batch)
        if len(self.networks) == 1:
            inside = replace(batch, after=batch.after.removeprefix("networks.0."))
            alike: Embedded = self.networks[0](inside)
            return alike
        if exporting:  # a graph has no rows that depend on numbers
            return self._chosen(batch, which)
        rows = [(which == number).nonzero()[:, 0] for number in range(len(self.networks))]
        parts = [
            (own, network(batch.apart(own)))
            for own, network in zip(rows, self.networks, strict=True)
            if len(own)
        ]
        return _in_order(batch, parts)

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
