"""Bags of equal length go through one batched product: nothing is padded, nothing masked."""

from itertools import groupby

import torch
from jaxtyping import Float, Int
from torch import Tensor


def equal_bags(
    starts: Int[Tensor, " bounds"], total: int | torch.SymInt
) -> list[tuple[Int[Tensor, " b"], Int[Tensor, "b n"]]]:
    """Bags of equal length together: their numbers, and the places [b, n] of their vectors."""
    device = starts.device
    if len(starts) == 2:
        return [(starts.new_zeros(1), torch.arange(total, device=device)[None])]
    lengths = starts.diff().tolist()
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    groups = []
    for length, members in groupby(order, lengths.__getitem__):
        bags = torch.tensor(list(members), device=device)
        groups.append((bags, starts[bags, None] + torch.arange(length, device=device)))
    return groups


def rows_at(place: Int[Tensor, "b n"], values: Float[Tensor, "T inner"]) -> Tensor:
    """The rows at these places, [b, n, inner]; no copy where they are all there are."""
    whole = place.numel() == values.shape[0]  # one group, and then in the order of the batch
    rows = values if whole else values.index_select(0, place.flatten())
    return rows.view(*place.shape, values.shape[1])


def put_back(parts: list[Tensor], places: list[Tensor]) -> Tensor:
    """The rows of all parts, each at the place that it came from."""
    if len(parts) == 1:
        return parts[0]
    return torch.cat(parts)[torch.cat(places).argsort()]
