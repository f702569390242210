"""Networks side by side: each sees every instance, and their vectors are concatenated."""

from collections.abc import Sequence
from dataclasses import replace
from typing import final

import torch
from torch import nn

from wholecase.core.errors import RecipeError
from wholecase.models.backbones.backbone import Backbone, Build
from wholecase.models.batch import Batch, Embedded


@final
class Paired(Backbone):
    """Two networks or more that make the same number of vectors of an instance.

    Args:
        build: makes the networks.
        members: each a network, such as `{name: small_cnn, channels: [16, 32]}`.
    """

    def __init__(self, build: Build, *, members: Sequence[object]) -> None:
        super().__init__()
        if not isinstance(members, list | tuple) or len(members) < 2:
            raise RecipeError("the backbone 'paired' needs two members or more, each a network")
        networks = [build(member) for member in members]
        self._width = sum(network.width for network in networks)
        self.members = nn.ModuleList(networks)

    @property
    def width(self) -> int:
        """The sum of the members' widths."""
        return self._width

    def forward(self, batch: Batch) -> Embedded:
        """The vectors of one place side by side, in the order of the members."""
        embedded: list[Embedded] = [member(batch) for member in self.members]
        first, *others = embedded
        for other in others:
            _check_alike(first, other)
        return replace(first, values=torch.cat([each.values for each in embedded], 1))


def _check_alike(first: Embedded, other: Embedded) -> None:
    same = first.values.shape[0] == other.values.shape[0]
    if same and first.cell is not None and other.cell is not None:
        # a graph that is exported has no numbers to compare
        same = torch.compiler.is_exporting() or torch.equal(first.cell, other.cell)
    if not same or (first.cell is None) != (other.cell is None):
        raise RecipeError(
            "the members of a paired backbone make different vectors of one instance "
            f"({len(first.values)} and {len(other.values)} in all); give them equal grids"
        )
