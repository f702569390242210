"""Changes of pixels while learning: drawn anew for every instance, each batch at once."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard, final

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.models import Batch, as_float

Pixels = Float[Tensor, "T C H W"]


class Augmentation(ABC):
    """Every member is built as `Member(setting)`, the one value that a recipe gives it.

    It draws from torch's own generator on the CPU, which the loop seeds for every epoch: the same
    seed draws the same on every device, and a stopped training goes on bit for bit.
    """

    @abstractmethod
    def __call__(self, pixels: Pixels) -> Pixels:
        """Other pixels of the same shape; those that are given are left as they are."""


@final
class Flips(Augmentation):
    """Left and right, and independently top and bottom, change places in half of the instances."""

    def __init__(self, setting: object) -> None:
        if not isinstance(setting, bool):
            raise RecipeError(f"train.augment.flips is true or false, not {setting!r}")
        self._flips = setting

    def __call__(self, pixels: Pixels) -> Pixels:
        """Each axis by a coin of its own."""
        if not self._flips:
            return pixels
        for axis in (3, 2):
            turned = _drawn(pixels) < 0.5
            pixels = torch.where(turned, pixels.flip(axis), pixels)
        return pixels


@final
class Brightness(Augmentation):
    """One number, drawn evenly between -most and +most, is added to all pixels of an instance."""

    def __init__(self, setting: object) -> None:
        if not _is_number(setting) or not 0 <= setting <= 1:
            raise RecipeError(f"train.augment.brightness is a number in [0, 1], not {setting!r}")
        self._most = float(setting)

    def __call__(self, pixels: Pixels) -> Pixels:
        """Brighter or darker; the range is kept at the end, by `Augment`."""
        return pixels + (2 * _drawn(pixels) - 1) * self._most


@final
class Contrast(Augmentation):
    """An instance's distance from its own mean is multiplied by a factor, drawn evenly."""

    def __init__(self, setting: object) -> None:
        factors = list(setting) if isinstance(setting, list | tuple) else []
        numbers = [float(factor) for factor in factors if _is_number(factor)]
        if len(factors) != 2 or len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1]:
            raise RecipeError(
                f"train.augment.contrast is [lowest, highest] factor, such as [0.8, 1.2], "
                f"not {setting!r}"
            )
        self._low, self._high = numbers

    def __call__(self, pixels: Pixels) -> Pixels:
        """One mean over channels, rows and columns, so that colours keep their balance."""
        factor = self._low + (self._high - self._low) * _drawn(pixels)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        return mean + (pixels - mean) * factor


AUGMENTS: dict[str, type[Augmentation]] = {
    "flips": Flips,
    "brightness": Brightness,
    "contrast": Contrast,
}
"""They are applied in this order, whatever the order of a recipe."""


@final
@dataclass(frozen=True)
class Augment:
    """All changes that a recipe asks for, one after the other, then clipped to [0, 1]."""

    steps: tuple[Augmentation, ...]

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Augment":
        """From a recipe's `train.augment`.

        Raises:
            RecipeError: a name or a setting is unknown.
        """
        for name in settings:
            look_up(AUGMENTS, name, "augmentation")
        made: list[Augmentation] = []
        for name, member in AUGMENTS.items():
            if name in settings:
                make: Any = member
                made.append(make(settings[name]))
        return cls(tuple(made))

    def __call__(self, batch: Batch) -> Batch:
        """The same batch with other pixels, as numbers in [0, 1].

        Raises:
            RecipeError: the batch holds stored features.
        """
        pixels = as_float(batch.values)
        for step in self.steps:
            pixels = step(pixels)
        return replace(batch, values=pixels.clamp(0, 1))


def _drawn(pixels: Tensor) -> Float[Tensor, "T 1 1 1"]:
    """An even draw from [0, 1) for each instance, on its device."""
    return torch.rand(len(pixels), 1, 1, 1).to(pixels.device, non_blocking=True)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
