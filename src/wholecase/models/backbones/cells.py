"""Maps as bags: every position of a grid becomes a vector that knows where it lies."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models.batch import Embedded


def cells_of(
    maps: Float[Tensor, "T D h w"],
    starts: Int[Tensor, " bounds"],
    scale: Float[Tensor, " T"] | None = None,
) -> Embedded:
    """T * h * w vectors of D numbers, with the instance and the (row, column) of each."""
    count, height, width = maps.shape[0], maps.shape[2], maps.shape[3]
    cells, device = height * width, maps.device
    place = torch.arange(cells, device=device)
    cell = torch.stack([place // width, place % width], 1)  # [h * w, 2]
    return Embedded(
        values=maps.permute(0, 2, 3, 1).flatten(0, 2),
        starts=starts * cells,
        scale=None if scale is None else scale.repeat_interleave(cells),
        origin=torch.arange(count, device=device).repeat_interleave(cells),
        cell=cell.repeat(count, 1),
    )
