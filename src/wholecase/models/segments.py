"""Operations per bag on packed tensors: what padding and masks do elsewhere, without the waste."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def owners(starts: Int[Tensor, " bounds"]) -> Int[Tensor, " T"]:
    """For each instance the number of its bag.

    >>> owners(torch.tensor([0, 2, 3])).tolist()
    [0, 0, 1]
    """
    lengths = starts.diff()
    return torch.repeat_interleave(torch.arange(len(lengths), device=starts.device), lengths)


def segment_sum(values: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Sum over each bag, [B, *rest]."""
    if len(starts) == 2:
        return values.sum(0, keepdim=True)
    total = values.new_zeros((len(starts) - 1, *values.shape[1:]))
    return total.index_add(0, owners(starts), values)


def segment_mean(values: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Mean over each bag, [B, *rest]."""
    lengths = starts.diff().to(values.dtype)
    return segment_sum(values, starts) / lengths.view(-1, *[1] * (values.dim() - 1))


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
    top = segment_max(values, starts)[owners(starts)]
    place = torch.arange(len(values), device=values.device)[:, None].expand(values.shape)
    place = torch.where(values == top, place, len(values))
    first = torch.full((len(starts) - 1, values.shape[1]), len(values), device=values.device)
    index = owners(starts)[:, None].expand(values.shape)
    return first.scatter_reduce(0, index, place, "amin", include_self=True)


def segment_softmax(scores: Float[Tensor, "T *rest"], starts: Int[Tensor, " bounds"]) -> Tensor:
    """Softmax within each bag, [T, *rest]: sums to 1 over each bag."""
    owner = owners(starts)
    # shifting by the maximum changes nothing but the range, so no gradient flows through it
    highest = segment_max(scores.detach(), starts)
    grown = (scores - highest[owner]).exp()
    return grown / segment_sum(grown, starts)[owner]
