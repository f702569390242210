"""What every change of a batch is, and how the settings of one are read."""

from abc import ABC, abstractmethod
from typing import ClassVar, TypeGuard

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import PixelKind
from wholecase.models import Batch


class Augmentation(ABC):
    """Every member is built as `Member(setting, kind)`: a recipe's one value, and what pixels are.

    It draws from torch's own generator on the CPU, which the loop seeds for every epoch: the same
    seed draws the same on every device, and a stopped training goes on bit for bit.
    """

    needs_pixels: ClassVar[bool] = True
    """Whether it is for pixels alone, and not for stored features."""

    @abstractmethod
    def __call__(self, batch: Batch) -> Batch:
        """Another batch of the same cases; the one that is given is left as it is.

        Its pixels are numbers of their kind; they are brought back into range at the end, by
        `Augment`.
        """


def drawn(pixels: Tensor) -> Float[Tensor, "T 1 1 1"]:
    """An even draw from [0, 1) for each instance, on its device."""
    return torch.rand(len(pixels), 1, 1, 1).to(pixels.device, non_blocking=True)


def within_range(name: str, setting: object, kind: PixelKind) -> float:
    """A setting that is a distance between numbers of the kind."""
    span = kind.high - kind.low
    if not is_number(setting) or not 0 <= setting <= span:
        unit = f" {kind.unit}" if kind.unit else ""
        raise RecipeError(
            f"train.augment.{name} is a number in [0, {span:g}]{unit}, not {setting!r}"
        )
    return float(setting)


def is_number(value: object) -> TypeGuard[float]:
    """Whether a setting is a number, which true and false are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)
