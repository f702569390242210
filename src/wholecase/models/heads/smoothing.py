"""Targets that are less sure than they are written."""

from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError


def check_smoothing(share: float) -> float:
    """The share of a target that is spread evenly over the classes.

    Raises:
        RecipeError: it is no share.
    """
    if not 0 <= share < 1:
        raise RecipeError(f"smoothing of a head is 0 or more and less than 1, not {share:g}")
    return share


def smoothed(labels: Float[Tensor, "B C"], share: float) -> Float[Tensor, "B C"]:
    """Label smoothing (Szegedy 2016): the rows still sum to 1, and mixed ones are smoothed too."""
    return labels if share == 0 else labels * (1 - share) + share / labels.shape[1]
