"""Which of the scales of a recipe an instance has: magnifications, or µm/px."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models.batch import Embedded

TOLERANCE = 0.01
"""Of a scale: magnifications are steps of two, and a spacing is what was asked for."""


def check_scales(scales: Sequence[float | int], where: str) -> list[float]:
    """The scales of a recipe as numbers.

    Raises:
        RecipeError: there is none, one is not positive, or two can hardly be told apart.
    """
    numbers = [float(scale) for scale in scales]
    ordered = sorted(numbers)
    apart = all(b > a * (1 + 2 * TOLERANCE) for a, b in pairwise(ordered))
    if not ordered or not ordered[0] > 0 or not apart:
        raise RecipeError(f"{where} are positive numbers that differ, not {list(scales)}")
    return numbers


def is_of_scale(scale: Float[Tensor, " T"], known: Float[Tensor, " S"]) -> Bool[Tensor, "T S"]:
    """Whether each instance has each of the scales; one without any has none of them."""
    return (scale[:, None] / known - 1).abs() <= TOLERANCE  # never true of nan


def first_stranger(near: Bool[Tensor, "T S"]) -> int | None:
    """The first instance that has none of the scales."""
    strange: Int[Tensor, "_ 1"] = near.any(1).logical_not().nonzero()
    return int(strange[0]) if len(strange) else None


def told(known: Float[Tensor, " S"]) -> str:
    """The scales of a recipe in words."""
    return ", ".join(f"{scale:g}" for scale in known.tolist())


def near_scales(embedded: Embedded, scales: Tensor, aggregator: str) -> Bool[Tensor, "T S"]:
    """Which of its scales each instance has, for an aggregator that tells them apart.

    Raises:
        RecipeError: instances have no scale, or one that the aggregator does not know.
    """
    if embedded.scale is None:
        raise RecipeError(
            f"the aggregator {aggregator!r} tells magnifications apart, and these instances "
            "have no scale; fill the manifest's column `magnification`"
        )
    near = is_of_scale(embedded.scale, scales)
    exporting = torch.compiler.is_exporting()
    if not exporting and (at := first_stranger(near)) is not None:
        raise RecipeError(
            f"an instance has the scale {float(embedded.scale[at]):g}, and "
            f"model.aggregator.scales are {told(scales)}; add it, or leave the image out"
        )
    return near
