"""Operations per bag on packed tensors: what padding and masks do elsewhere, without the waste."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

TINY = 16
"""Bags of fewer instances on average are summed by index, not by a call for each bag."""


def owners(
    starts: Int[Tensor, " bounds"], count: int | torch.SymInt | None = None
) -> Int[Tensor, " T"]:
    """For each instance the number of its bag.

    Who knows T gives it as `count`; the bounds of a single bag are then not looked at, which a
    graph that is exported without numbers could not do.

    >>> owners(torch.tensor([0, 2, 3])).tolist()
    [0, 0, 1]
    """
    if count is not None and len(starts) == 2:
        return torch.zeros(count, dtype=torch.int64, device=starts.device)
    lengths = starts.diff()
    return torch.repeat_interleave(torch.arange(len(lengths), device=starts.device), lengths)


def segment_sum(values: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Sum over each bag, [B, *rest]."""
    if len(starts) == 2:
        return values.sum(0, keepdim=True)
    if (len(starts) - 1) * TINY <= len(values):
        return torch.stack([bag.sum(0) for bag in torch.split(values, starts.diff().tolist())])
    total = values.new_zeros((len(starts) - 1, *values.shape[1:]))
    return total.index_add(0, owners(starts), values)


def segment_mean(values: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Mean over each bag, [B, *rest]."""
    lengths = starts.diff().to(values.dtype)
    return segment_sum(values, starts) / lengths.view(-1, *[1] * (values.dim() - 1))


def segment_mix(
    values: Float[Tensor, "T heads E"],
    weights: Float[Tensor, "T heads K"],
    starts: Int[Tensor, " bounds"],
) -> Float[Tensor, "B heads K E"]:
    """Weighted sums over each bag, head by head."""
    if len(starts) == 2 and values.shape[1] == 1:  # with several heads products are too thin
        return torch.bmm(weights.permute(1, 2, 0), values.transpose(0, 1))[None]
    each = [segment_sum(values * weights[:, :, k, None], starts) for k in range(weights.shape[2])]
    return torch.stack(each, 2)


def segment_max(values: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Maximum over each bag, [B, *rest]."""
    if len(starts) == 2:
        return values.amax(0, keepdim=True)
    index = owners(starts).view(-1, *[1] * (values.dim() - 1)).expand_as(values)
    # the start value never counts: `include_self=False`, and no bag is empty
    first = values.new_zeros((len(starts) - 1, *values.shape[1:]))
    return first.scatter_reduce(0, index, values, "amax", include_self=False)


def segment_argmax(
    values: Float[Tensor, "T F"], starts: Int[Tensor, " bounds"]
) -> Int[Tensor, "B F"]:
    """Index into T of each bag's maximum, the first where several are equal."""
    count = values.shape[0]
    owner = owners(starts, count)
    top = segment_max(values, starts)[owner]
    place = torch.arange(count, device=values.device)[:, None].expand(values.shape)
    place = torch.where(values == top, place, count)
    if len(starts) == 2:
        return place.amin(0, keepdim=True)
    first = torch.full((len(starts) - 1, values.shape[1]), count, device=values.device)
    index = owner[:, None].expand(values.shape)
    return first.scatter_reduce(0, index, place, "amin", include_self=True)


def segment_softmax(scores: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Softmax within each bag, [T, *rest]: sums to 1 over each bag."""
    if len(starts) == 2:
        return scores.softmax(0)
    owner = owners(starts)
    # shifting by the maximum changes nothing but the range, so no gradient flows through it
    highest = segment_max(scores.detach(), starts)
    grown = (scores - highest[owner]).exp()
    return grown / segment_sum(grown, starts)[owner]
