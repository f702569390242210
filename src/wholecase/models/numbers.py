"""Pixels in a batch: small integers while they lie and travel, numbers where they are learnt."""

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind


def as_float(values: Tensor, kind: PixelKind = RGB) -> Float[Tensor, "T C H W"]:
    """Pixels [T, C, H, W] as numbers of their kind, in single precision.

    What is floating point already is in these numbers by convention and stays as it is.

    Raises:
        RecipeError: the values are no pixels, such as stored feature vectors, or of another kind.
    """
    if values.dim() != 4:
        raise RecipeError(
            f"pixels have 4 axes (instances, channels, rows, columns), not {values.dim()}; "
            "a recipe for stored features has no `model.backbone` and no `train.augment`"
        )
    if values.is_floating_point():
        return values
    if values.dtype != getattr(torch, kind.dtype):
        raise RecipeError(
            f"pixels of the kind {kind.name!r} are {kind.dtype}, not "
            f"{str(values.dtype).removeprefix('torch.')}; give images of that kind"
        )
    numbers = values.float()
    return numbers if kind.divisor == 1 else numbers / kind.divisor
