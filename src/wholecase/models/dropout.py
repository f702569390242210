"""Dropout by one random byte per number, where torch draws a double."""

import math
from dataclasses import dataclass
from typing import Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.core.errors import RecipeError


@dataclass(frozen=True)
class Rows:
    """Some of the instances of a batch: what is drawn for them is what was drawn for all."""

    chosen: Int[Tensor, " W"]
    count: int
    """How many instances there are in all."""


def dropout_share(share: float) -> float:
    """The share itself, if it is one.

    Raises:
        RecipeError: it is not in [0, 1).
    """
    if not 0 <= share < 1:
        raise RecipeError(f"dropout is 0 or more and less than 1, not {share!r}")
    return share


def twice(share: float) -> float:
    """The share that is gone from a product of which both factors lose `share`.

    Two independent masks multiplied are one mask, so a gated layer needs one draw instead of two.

    >>> twice(0.25)
    0.4375
    """
    return 1 - (1 - share) ** 2


def dropped(values: Tensor, share: float, rows: Rows | None = None, dim: int = 0) -> Tensor:
    """The values with a share of them set to zero, and the others raised so that the mean stays.

    Args:
        values: of any shape; fastest where they are contiguous.
        share: what becomes zero, in [0, 1).
        rows: which instances the values are of, where they are not of all.
        dim: along which the instances lie.
    """
    if share == 0:
        return values
    mask, kept = kept_mask(values, 1 - share, rows, dim)
    return (values * mask).mul_(1 / kept)


def dropped_relu(
    values: Float[Tensor, "T E"], share: float, rows: Rows | None = None
) -> Float[Tensor, "T E"]:
    """ReLU and dropout in place of the values: one pass back, and nothing kept but the result."""
    if share == 0:
        return values.relu_()
    done: Tensor = _DroppedRelu.apply(values, share, rows)
    return done


def kept_mask(
    like: Tensor, keep: float, rows: Rows | None = None, dim: int = 0
) -> tuple[Tensor, float]:
    """Zeros and ones in the shape and type of `like`, and the exact probability of a one.

    Each is drawn on its own from torch's generator: on the CPU from eight bits, or from sixteen
    where the probability is no multiple of 1/256. Whoever divides by the probability that is told,
    not by the one that was wanted, keeps the mean exactly. Of `rows`, which lie along `dim`, the
    mask is that part of the one of all.

    >>> kept_mask(torch.zeros(4), 0.75)[1], abs(kept_mask(torch.zeros(4), 0.9)[1] - 0.9) < 2**-17
    (0.75, True)
    """
    shape = list(like.shape)
    if rows is not None:
        shape[dim] = rows.count
    if like.device.type != "cpu":
        mask = like.new_empty(shape).bernoulli_(keep)
        return mask if rows is None else mask.index_select(dim, rows.chosen), keep
    bits, kind = (8, torch.int8) if (keep * 256).is_integer() else (16, torch.int16)
    levels, count = 2**bits, math.prod(shape)
    kept = min(max(round(keep * levels), 1), levels)
    words = torch.empty(-(-count * bits // 64), dtype=torch.int64)
    draws = words.random_(-(2**63), None).view(kind)[:count].view(shape)
    if rows is not None:
        draws = draws.index_select(dim, rows.chosen)
    return draws.le_(kept - 1 - levels // 2).to(like.dtype), kept / levels


@final
class _DroppedRelu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, share: float, rows: Rows | None) -> Tensor:  # noqa: ANN401
        mask, kept = kept_mask(values, 1 - share, rows)
        # a mask before the ReLU is the same as one behind it
        values.mul_(mask).relu_().mul_(1 / kept)
        ctx.mark_dirty(values)
        ctx.save_for_backward(values)
        ctx.factor = 1 / kept
        return values

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: ANN401
        (values,) = ctx.saved_tensors
        # zero where the ReLU or the mask made it zero: the result tells both
        return torch.ops.aten.threshold_backward(gradient, values, 0).mul_(ctx.factor), None, None
