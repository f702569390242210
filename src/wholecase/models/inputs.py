"""How pixels of a kind become what a network gets: named in a recipe as `model.input`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal, final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.imagenet import IMAGENET_MEAN, IMAGENET_STD
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.table import Table
from wholecase.models.along import neighbour
from wholecase.models.numbers import as_float

Numbers = Float[Tensor, "T C H W"]
Seen = Float[Tensor, "T D H W"]
"""As many channels as the network gets."""


@dataclass(frozen=True)
class Input(ABC):
    """Every member is built as `Member(kind, **options)`. It learns nothing and keeps no state."""

    kind: PixelKind

    @property
    def reach(self) -> int:
        """How many slices before and after an instance are seen with it."""
        return 0

    @property
    def is_standardised(self) -> bool:
        """Whether it is then brought to the mean and deviation of the training patients."""
        return False

    def __call__(self, values: Tensor, bounds: Int[Tensor, " image_bounds"] | None = None) -> Seen:
        """Samples of the kind, or its numbers in floating point, as network input.

        Args:
            values: of the instances [T, C, H, W].
            bounds: where images begin, and the end; None takes all as of one.

        Raises:
            RecipeError: the values are no pixels of the kind.
        """
        numbers = as_float(values, self.kind)
        if numbers.shape[1] != self.kind.channels:
            raise RecipeError(
                f"pixels of the kind {self.kind.name!r} have {self.kind.channels} channels, not "
                f"{numbers.shape[1]}; give images of that kind"
            )
        own = self.seen(numbers)
        if not self.reach:
            return own
        count = own.shape[0]  # a graph counts no tensor by `len`
        bounds = torch.tensor([0, count], device=own.device) if bounds is None else bounds
        steps = range(-self.reach, self.reach + 1)
        return self.together([own[neighbour(count, bounds, step)] for step in steps])

    @abstractmethod
    def seen(self, numbers: Numbers) -> Seen:
        """Numbers of the kind as network input; each instance on its own."""

    def together(self, slices: Sequence[Tensor]) -> Float[Tensor, "T E H W"]:
        """Those before an instance, itself and those after it as the channels of one input."""
        return torch.cat(list(slices), 1)

    @property
    def channels(self) -> int:
        """What the network gets."""
        return self(torch.zeros(1, self.kind.channels, 1, 1)).shape[1]


@final
@dataclass(frozen=True)
class Unit(Input):
    """Numbers in [0, 1], from the least to the highest of the kind."""

    def seen(self, numbers: Numbers) -> Seen:
        """Light as it is; what is beyond the usual range of an open kind is clamped."""
        return _in_range(self.kind, numbers)


@final
@dataclass(frozen=True)
class Window(Input):
    """A window of the kind's numbers becomes [0, 1], what is beyond it is clamped: CT as displayed.

    Several windows become as many channels, in their order: brain, subdural and soft tissue fill
    the three of a network that was taught in colour.

    Args:
        centre: of the one window, in the kind's unit (40 HU for brain).
        width: of the one window, in the kind's unit (80 HU for brain).
        windows: instead of these, several, each `[centre, width]`.
        zscore: `slice` then standardises each instance, window by window, by its own mean and
            deviation; `patients` by those of all training patients, which travel with the model;
            `none`.
        floor: least deviation to divide by, of the window's width: an instance of air stays flat.
        beside: so many slices before and after are further channels, from the first to the last;
            beyond an end of the series its last slice stands for what is missing.
    """

    centre: float | int | None = None
    width: float | int | None = None
    windows: Sequence[Sequence[float | int]] = ()
    zscore: Literal["none", "slice", "patients"] = "none"
    floor: float | int = 0.05
    beside: int = 0

    @property
    def is_standardised(self) -> bool:
        """By `zscore: patients`."""
        return self.zscore == "patients"

    @property
    def reach(self) -> int:
        """As many as the recipe says."""
        return self.beside

    def __post_init__(self) -> None:
        _check_beside(self.beside)
        if bool(self.windows) == (self.centre is not None or self.width is not None):
            raise RecipeError(
                "model.input=window takes a centre and a width, or `windows`, each [centre, width]"
            )
        for one in self._each():
            if not _is_window(one):
                raise RecipeError(
                    "model.input=window needs a finite centre and a positive width, not "
                    f"{' and '.join(map(repr, one))}"
                )
        if self.zscore not in {"none", "slice", "patients"}:
            raise RecipeError(f"model.input.zscore is none, slice or patients, not {self.zscore!r}")
        _check_floor(self.floor)

    def seen(self, numbers: Numbers) -> Seen:
        """Black below a window, white above it."""
        shown = [self._shown(numbers, *one) for one in self._each()]
        return shown[0] if len(shown) == 1 else torch.cat(shown, 1)

    def _each(self) -> Sequence[Sequence[Any]]:
        return self.windows or ((self.centre, self.width),)

    def _shown(self, numbers: Numbers, centre: float | int, width: float | int) -> Seen:
        shown = ((numbers - (centre - width / 2)) / width).clamp(0, 1)
        return _standardised(shown, self.floor) if self.zscore == "slice" else shown


@final
@dataclass(frozen=True)
class Zscore(Input):
    """Each instance has mean 0 and deviation 1, all channels together so that colours stay.

    Args:
        floor: least deviation to divide by, of the kind's range: an empty instance stays flat.
    """

    floor: float | int = 0.01

    def __post_init__(self) -> None:
        _check_floor(self.floor)

    def seen(self, numbers: Numbers) -> Seen:
        """By the instance's own mean and deviation."""
        return _standardised(_in_range(self.kind, numbers), self.floor)


@final
@dataclass(frozen=True)
class ImageNet(Input):
    """Light by ImageNet's mean and deviation per channel; grey is given as three equal channels.

    Args:
        beside: of a series of grey slices the one so many steps before is red and the one so many
            after is blue; 0 leaves colours as they are.
    """

    beside: int = 0

    @property
    def reach(self) -> int:
        """As many as the recipe says."""
        return self.beside

    def __post_init__(self) -> None:
        _check_beside(self.beside)
        if self.kind.unit or self.kind.channels not in {1, 3}:
            raise RecipeError(
                f"model.input=imagenet is for light, in colour or grey, and pixels of the kind "
                f"{self.kind.name!r} are {self.kind.unit or self.kind.channels}; use window or unit"
            )

    def seen(self, numbers: Numbers) -> Seen:
        """As networks taught on ImageNet expect it."""
        mean, deviation = (
            numbers.new_tensor(s).view(3, 1, 1) for s in (IMAGENET_MEAN, IMAGENET_STD)
        )
        return (_in_range(self.kind, numbers) - mean) / deviation

    def together(self, slices: Sequence[Tensor]) -> Float[Tensor, "T E H W"]:
        """One channel of each of three slices."""
        red, green, blue = slices[0], slices[len(slices) // 2], slices[-1]
        return torch.stack([red[:, 0], green[:, 1], blue[:, 2]], 1)


INPUTS: Table[type[Input]] = Table(
    "input",
    {
        "unit": Unit,
        "window": Window,
        "zscore": Zscore,
        "imagenet": ImageNet,
    },
    Input,
    ("kind",),
)
LIGHT = Unit(RGB)
"""What a recipe has that names no input."""


def _in_range(kind: PixelKind, numbers: Numbers) -> Numbers:
    if (kind.low, kind.high) != (0, 1):
        numbers = (numbers - kind.low) / (kind.high - kind.low)
    return numbers if kind.bounded else numbers.clamp(0, 1)


def _standardised(numbers: Numbers, floor: float | int) -> Numbers:
    mean = numbers.mean((1, 2, 3), keepdim=True)
    deviation = numbers.std((1, 2, 3), correction=0, keepdim=True)
    return (numbers - mean) / deviation.clamp_min(floor)


def _is_window(one: Sequence[Any]) -> bool:
    known = len(one) == 2 and all(isinstance(number, float | int) for number in one)
    return known and isfinite(one[0]) and isfinite(one[1]) and one[1] > 0


def _check_beside(beside: object) -> None:
    if isinstance(beside, bool) or not isinstance(beside, int) or beside < 0:
        raise RecipeError(f"model.input.beside is 0 slices or more, not {beside!r}")


def _check_floor(floor: float | int) -> None:
    if not floor > 0:
        raise RecipeError(f"model.input.floor is a positive number, not {floor!r}")
