"""Context along a series: what the slices before and after have to say of a slice."""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_sequence, unpack_sequence

from wholecase.core.errors import RecipeError
from wholecase.core.table import Table
from wholecase.models.segments import owners

FAR = 3.0
"""Deviations of a smoothing kernel beyond which a slice has no say."""


def neighbour(
    count: int | torch.SymInt, bounds: Int[Tensor, " image_bounds"], step: int
) -> Int[Tensor, " T"]:
    """For each instance the one `step` further on in its image; at an end the last that there is.

    >>> neighbour(5, torch.tensor([0, 3, 5]), 1).tolist()
    [1, 2, 2, 4, 4]
    """
    image = owners(bounds, count)
    moved = torch.arange(count, device=bounds.device) + step
    return moved.clamp(bounds[:-1][image], bounds[1:][image] - 1)


def series_bounds(
    images: Int[Tensor, " image_bounds"] | None, starts: Int[Tensor, " bounds"]
) -> Int[Tensor, " series_bounds"]:
    """Where series begin, and the end: images of several instances, or lone ones in a row.

    Pictures of one slice each, one after the other in a case, are one series in the case's order.

    Args:
        images: where images begin, and the end; None takes every case as one series.
        starts: where cases begin, and the end.

    >>> series_bounds(torch.tensor([0, 1, 2, 5, 6, 7]), torch.tensor([0, 6, 7])).tolist()
    [0, 2, 5, 6, 7]
    """
    if images is None:
        return starts
    lone = images.diff() == 1
    inside = torch.cat([lone.new_zeros(1), lone[:-1] & lone[1:], lone.new_zeros(1)])
    return images[~inside | torch.isin(images, starts)]


@final
class Smoothing(nn.Module):
    """Logits averaged along a series, by a normal kernel over the distance in millimetres.

    A row of weights sums to 1, so that equal logits stay as they are, also at the ends and across
    gaps. It learns nothing.

    Args:
        mm: deviation of the kernel.
    """

    def __init__(self, mm: float) -> None:
        super().__init__()
        if not mm > 0:
            raise RecipeError(f"model.smoothing is a deviation in mm above 0, not {mm!r}")
        self._um = 1000 * mm

    def forward(
        self,
        bounds: Int[Tensor, " image_bounds"],
        position: Float[Tensor, "T 3"] | None,
    ) -> Float[Tensor, "T T"]:
        """How much each instance (column) has to say of each (row); 0 across images.

        Raises:
            RecipeError: an instance has no place along its series.
        """
        if position is None or bool(position[:, 2].isnan().any()):
            raise RecipeError(
                "model.smoothing goes by the distance between slices, and some have no place in "
                "mm along their series; remove it, or give series that tell it"
            )
        image, place = owners(bounds, len(position)), position[:, 2]
        away = (place[:, None] - place) / self._um
        weights = (-0.5 * away**2).exp()
        weights = weights.where((away.abs() <= FAR) & (image[:, None] == image), 0)
        return weights / weights.sum(1, keepdim=True)


@final
class Recurrent(nn.Module):
    """A recurrent network over the vectors of a series, in both directions (Cho 2014's GRU).

    What it makes of a vector is added to it: it begins as no context at all, and learns some.

    Args:
        width: D, numbers per vector.
        hidden: numbers of the state, in each direction.
    """

    def __init__(self, width: int, *, hidden: int = 128) -> None:
        super().__init__()
        if hidden < 1:
            raise RecipeError(f"model.sequence.hidden is 1 or more, not {hidden}")
        self.gru = nn.GRU(width, hidden, bidirectional=True)
        self.out = nn.Linear(2 * hidden, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(
        self, values: Float[Tensor, "T D"], bounds: Int[Tensor, " image_bounds"]
    ) -> Float[Tensor, "T D"]:
        """Each series on its own, in its order."""
        series = torch.split(values, bounds.diff().tolist())
        packed = pack_sequence(list(series), enforce_sorted=False)
        told: PackedSequence = self.gru(packed)[0]
        context: Tensor = self.out(torch.cat(unpack_sequence(told)))
        return values + context


SEQUENCES: Table[type[Recurrent]] = Table("sequence", {"gru": Recurrent}, Recurrent, ("width",))
