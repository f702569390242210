"""Changes of what is learnt from: drawn anew for every batch, seeing its targets and cases."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, final

import torch
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.lookup import look_up
from wholecase.core.table import Table
from wholecase.models import Batch, as_float
from wholecase.models.segments import owners
from wholecase.training.augmentation import Augmentation, drawn, is_number, within_range
from wholecase.training.deforming import Blur, Colour, Elastic, Erasing
from wholecase.training.mixing import mixed, partners


@final
class Flips(Augmentation):
    """Left and right, and independently top and bottom, change places in half of the instances.

    `horizontal` leaves top and bottom as they are.
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        if not isinstance(setting, bool) and setting != "horizontal":
            raise RecipeError(f"train.augment.flips is true, false or horizontal, not {setting!r}")
        both = (3, 2) if setting is True else ()
        self._axes = (3,) if setting == "horizontal" else both

    def __call__(self, batch: Batch) -> Batch:
        """Each axis by a coin of its own."""
        pixels = batch.values
        for axis in self._axes:
            turned = drawn(pixels) < 0.5
            pixels = torch.where(turned, pixels.flip(axis), pixels)
        return replace(batch, values=pixels)


@final
class Moved(Augmentation):
    """Turned about its middle and shifted, each drawn evenly up to a bound; outside is nothing.

    `{degrees: most, shift: most}`: the shift is a share of the side, along rows and columns each.
    Numbers between pixels are interpolated.
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:
        given: dict[Any, Any] = dict(setting) if isinstance(setting, Mapping) else {"": None}
        most = {"degrees": 180.0, "shift": 0.5}
        known = set(given) <= set(most)
        if not known or not all(is_number(v) and 0 <= v <= most[k] for k, v in given.items()):
            raise RecipeError(
                "train.augment.moved is {degrees: 0 to 180, shift: 0 to 0.5 of the side}, "
                f"not {setting!r}"
            )
        self._radians = math.radians(given.get("degrees", 0.0))
        self._shift = 2 * float(given.get("shift", 0.0))  # of a grid from -1 to 1
        self._outside = kind.outside / kind.divisor

    def __call__(self, batch: Batch) -> Batch:
        """Turned as pixels lie, whatever the sides."""
        pixels = batch.values
        angle, x, y = (2 * torch.rand(3, len(pixels)) - 1) * torch.tensor(
            [[self._radians], [self._shift], [self._shift]]
        )
        cos, sin = angle.cos(), angle.sin()
        ratio = pixels.shape[2] / pixels.shape[3]
        rows = [cos, -sin * ratio, x, sin / ratio, cos, y]
        move = torch.stack(rows, 1).view(-1, 2, 3).to(pixels.device)
        grid = F.affine_grid(move, list(pixels.shape), align_corners=False)
        moved = F.grid_sample(pixels - self._outside, grid, align_corners=False) + self._outside
        return replace(batch, values=moved)


@final
class Brightness(Augmentation):
    """One number, drawn evenly between -most and +most, is added to all pixels of an instance."""

    def __init__(self, setting: object, kind: PixelKind) -> None:
        self._most = within_range("brightness", setting, kind)

    def __call__(self, batch: Batch) -> Batch:
        """Brighter or darker."""
        pixels = batch.values
        return replace(batch, values=pixels + (2 * drawn(pixels) - 1) * self._most)


@final
class Contrast(Augmentation):
    """An instance's distance from its own mean is multiplied by a factor, drawn evenly."""

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        factors = list(setting) if isinstance(setting, list | tuple) else []
        numbers = [float(factor) for factor in factors if is_number(factor)]
        if len(factors) != 2 or len(numbers) != 2 or not 0 <= numbers[0] <= numbers[1]:
            raise RecipeError(
                f"train.augment.contrast is [lowest, highest] factor, such as [0.8, 1.2], "
                f"not {setting!r}"
            )
        self._low, self._high = numbers

    def __call__(self, batch: Batch) -> Batch:
        """One mean over channels, rows and columns, so that colours keep their balance."""
        pixels = batch.values
        factor = self._low + (self._high - self._low) * drawn(pixels)
        mean = pixels.mean((1, 2, 3), keepdim=True)
        return replace(batch, values=mean + (pixels - mean) * factor)


@final
class Noise(Augmentation):
    """Normal noise on every pixel; its deviation is drawn evenly, up to a bound, per instance."""

    def __init__(self, setting: object, kind: PixelKind) -> None:
        self._most = within_range("noise", setting, kind)

    def __call__(self, batch: Batch) -> Batch:
        """As a scanner of less dose."""
        pixels = batch.values
        noise = torch.randn(pixels.shape).to(pixels.device, non_blocking=True)
        return replace(batch, values=pixels + self._most * drawn(pixels) * noise)


@final
class ByClass(Augmentation):
    """Other changes for the pixels of positives than for those of negatives, beside the common.

    `{positive: {...}, negative: {...}}`, each with the settings of `train.augment`.
    """

    def __init__(self, setting: object, kind: PixelKind) -> None:
        given = dict(setting) if isinstance(setting, Mapping) else {"": None}
        if not given or not set(given) <= set(SIDES):
            raise RecipeError(
                "train.augment.by_class is {positive: {...}, negative: {...}}, each with changes "
                f"of pixels, not {setting!r}"
            )
        self._policies = [Augment.of(given.get(side) or {}, kind) for side in SIDES]
        if not all(step.needs_pixels for policy in self._policies for step in policy.steps):
            raise RecipeError(
                "train.augment.by_class changes pixels, and mixup mixes the classes; put mixup "
                "beside by_class"
            )

    def __call__(self, batch: Batch) -> Batch:
        """A case of a soft label is of the likelier class."""
        label = batch.targets["label"]
        if label.shape[1] != len(SIDES):
            raise RecipeError(
                "train.augment.by_class knows positives and negatives, and there are "
                f"{label.shape[1]} classes; remove it"
            )
        values = batch.values.clone()
        own = label.argmax(1)[owners(batch.starts)]
        for number, policy in enumerate(self._policies):
            rows = (own == number).nonzero()[:, 0]
            if len(rows):
                values[rows] = policy(batch.apart(rows)).values
        return replace(batch, values=values)


SIDES = ("negative", "positive")
"""In the order of the classes."""


@final
class Mixup(Augmentation):
    """A case is mixed with another of its batch, and its targets with the other's (Zhang 2018).

    One share is drawn for a batch, from a Beta distribution with the setting as both parameters.
    Where scales are known a view mixes with the other's view of the same scale, and stays as it is
    where the other has none; targets are mixed by the mean share over the views. Without scales
    only cases with the same number of instances mix, instance by instance. Of each pair a case
    keeps the larger share, and with it its name.
    """

    needs_pixels = False

    def __init__(self, setting: object, kind: PixelKind) -> None:  # noqa: ARG002
        if not is_number(setting) or not 0 < setting < float("inf"):
            raise RecipeError(f"train.augment.mixup is a number above 0, not {setting!r}")
        self._alpha = torch.tensor(float(setting), dtype=torch.float64)

    def __call__(self, batch: Batch) -> Batch:
        """Soft targets; one that is not known for one of both is known for none."""
        share = float(torch.distributions.Beta(self._alpha, self._alpha).sample())
        return mixed(batch, partners(batch), max(share, 1 - share))


AUGMENTS: Table[type[Augmentation]] = Table(
    "augmentation",
    {
        "flips": Flips,
        "moved": Moved,
        "elastic": Elastic,
        "brightness": Brightness,
        "contrast": Contrast,
        "colour": Colour,
        "blur": Blur,
        "noise": Noise,
        "erasing": Erasing,
        "by_class": ByClass,
        "mixup": Mixup,
    },
    Augmentation,
    ("setting", "kind"),
)
"""They are applied in this order, whatever the order of a recipe; those of others after them."""


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
        own = [name for name in AUGMENTS if name in settings]
        for name in (*own, *(name for name in settings if name not in AUGMENTS)):
            make: Any = AUGMENTS[name]
            made.append(make(settings[name], kind))
        return cls(tuple(made), kind)

    @property
    def needs_pixels(self) -> bool:
        """Whether stored features cannot be changed so."""
        return any(step.needs_pixels for step in self.steps)

    @property
    def mixes(self) -> bool:
        """Whether cases of a step have to do with each other."""
        return any(isinstance(step, Mixup) for step in self.steps)

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
