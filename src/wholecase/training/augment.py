"""Changes of what is learnt from: drawn anew for every batch, seeing its targets and cases."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeGuard, final

import torch
from jaxtyping import Float
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.lookup import look_up
from wholecase.models import Batch, as_float
from wholecase.training.mixing import mixed, partners

Pixels = Float[Tensor, "T C H W"]


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


@final
class Flips(Augmentation):
    """Left and right, and independently top and bottom, change places in half of the instances."""

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        if not isinstance(setting, bool):
            raise RecipeError(f"train.augment.flips is true or false, not {setting!r}")
        self._flips = setting

    def __call__(self, batch: Batch) -> Batch:
        """Each axis by a coin of its own."""
        if not self._flips:
            return batch
        pixels = batch.values
        for axis in (3, 2):
            turned = _drawn(pixels) < 0.5
            pixels = torch.where(turned, pixels.flip(axis), pixels)
        return replace(batch, values=pixels)


@final
class Brightness(Augmentation):
    """One number, drawn evenly between -most and +most, is added to all pixels of an instance."""

    def __init__(self, setting: object, kind: PixelKind) -> None:
        span = kind.high - kind.low
        if not _is_number(setting) or not 0 <= setting <= span:
            unit = f" {kind.unit}" if kind.unit else ""
            raise RecipeError(
                f"train.augment.brightness is a number in [0, {span:g}]{unit}, not {setting!r}"
            )
        self._most = float(setting)

    def __call__(self, batch: Batch) -> Batch:
        """Brighter or darker."""
        pixels = batch.values
        return replace(batch, values=pixels + (2 * _drawn(pixels) - 1) * self._most)


@final
class Contrast(Augmentation):
    """An instance's distance from its own mean is multiplied by a factor, drawn evenly."""

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        factors = list(setting) if isinstance(setting, list | tuple) else []
        numbers = [float(factor) for factor in factors if _is_number(factor)]
        if len(factors) != 2 or len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1]:
            raise RecipeError(
                f"train.augment.contrast is [lowest, highest] factor, such as [0.8, 1.2], "
                f"not {setting!r}"
            )
        self._low, self._high = numbers

    def __call__(self, batch: Batch) -> Batch:
        """One mean over channels, rows and columns, so that colours keep their balance."""
        pixels = batch.values
        factor = self._low + (self._high - self._low) * _drawn(pixels)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        return replace(batch, values=mean + (pixels - mean) * factor)


@final
class Mixup(Augmentation):
    """A case is mixed with another of its batch, and its targets with the other's (Zhang 2018).

    One share is drawn for a batch, from a Beta distribution with the setting as both parameters.
    Only cases with the same number of instances mix, instance by instance; a case without such a
    partner stays as it is. Of each pair a case keeps the larger share, and with it its name.
    """

    needs_pixels = False

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        if not _is_number(setting) or not 0 < setting < float("inf"):
            raise RecipeError(f"train.augment.mixup is a number above 0, not {setting!r}")
        self._alpha = torch.tensor(float(setting), dtype=torch.float64)

    def __call__(self, batch: Batch) -> Batch:
        """Soft targets; one that is not known for one of both is known for none."""
        share = float(torch.distributions.Beta(self._alpha, self._alpha).sample())
        return mixed(batch, partners(batch), max(share, 1 - share))


AUGMENTS: dict[str, type[Augmentation]] = {
    "flips": Flips,
    "brightness": Brightness,
    "contrast": Contrast,
    "mixup": Mixup,
}
"""They are applied in this order, whatever the order of a recipe."""


@final
@dataclass(frozen=True)
class Augment:
    """All changes that a recipe asks for, one after the other; then pixels keep their range."""

    steps: tuple[Augmentation, ...]
    kind: PixelKind = RGB

    @classmethod
    def of(cls, settings: Mapping[str, Any], kind: PixelKind = RGB) -> "Augment":
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
                made.append(make(settings[name], kind))
        return cls(tuple(made), kind)

    @property
    def needs_pixels(self) -> bool:
        """Whether stored features cannot be changed so."""
        return any(step.needs_pixels for step in self.steps)

    def __call__(self, batch: Batch) -> Batch:
        """Another batch of the same cases; its pixels are numbers of their kind.

        Raises:
            RecipeError: the batch holds stored features, and a change is for pixels.
        """
        pixels = self.needs_pixels or batch.values.dim() == 4
        changed = replace(batch, values=as_float(batch.values, self.kind)) if pixels else batch
        for step in self.steps:
            changed = step(changed)
        if not pixels or not self.kind.bounded:
            return changed
        return replace(changed, values=changed.values.clamp(self.kind.low, self.kind.high))


def _drawn(pixels: Tensor) -> Float[Tensor, "T 1 1 1"]:
    """An even draw from [0, 1) for each instance, on its device."""
    return torch.rand(len(pixels), 1, 1, 1).to(pixels.device, non_blocking=True)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
