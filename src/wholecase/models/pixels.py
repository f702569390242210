"""Pixels in a batch: bytes while they lie and travel, numbers in [0, 1] where they are learnt."""

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError


def as_float(values: Tensor) -> Float[Tensor, "T C H W"]:
    """Pixels [T, C, H, W] as numbers.

    uint8 from 0 to 255 becomes [0, 1] in single precision; what is floating point already is in
    that range by convention and stays as it is.

    Raises:
        RecipeError: the values are no pixels, such as stored feature vectors.
    """
    if values.dim() != 4:
        raise RecipeError(
            f"pixels have 4 axes (instances, channels, rows, columns), not {values.dim()}; "
            "a recipe for stored features has no `model.backbone` and no `train.augment`"
        )
    if values.dtype == torch.uint8:
        return values.float() / 255
    return values
