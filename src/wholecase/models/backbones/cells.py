"""Maps as bags: every position of a grid becomes a vector that knows where it lies."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models.batch import Batch, Embedded

WHOLE = "backbone"
"""The name of the model's network as a part of the model."""
MAPS = f"{WHOLE}.maps"
"""The same up to the maps of the last convolution, of a network that has some (`mapped`)."""


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


def kept(embedded: Embedded, count: int) -> Float[Tensor, "T D"] | Float[Tensor, "T D h w"]:
    """All vectors of each instance together; `of_grid` takes those of a grid apart again.

    Args:
        embedded: one vector of each instance, or those of one grid.
        count: T, instances.

    Raises:
        ValueError: the instances have other vectors than these.
    """
    if embedded.origin is None:
        return embedded.values
    each, rest = divmod(len(embedded.values), count)
    if embedded.cell is not None and not rest:
        height, width = (embedded.cell.amax(0) + 1).tolist()
        if height * width == each:
            maps = embedded.values.view(count, height, width, -1).permute(0, 3, 1, 2)
            if _same(embedded, cells_of(maps, torch.arange(count + 1))):
                return maps
    raise ValueError("the vectors of an instance are no grid")


def _same(one: Embedded, other: Embedded) -> bool:
    pairs = (one.cell, other.cell), (one.origin, other.origin)
    return all(a is not None and b is not None and torch.equal(a, b) for a, b in pairs)


def of_grid(batch: Batch) -> Embedded:
    """Of a batch [T, D, h, w] that is `after` the whole network the vectors [T h w, D]."""
    return cells_of(batch.values, batch.starts, batch.scale)
