"""How fast all parts learn over the epochs: a factor on every rate of the recipe."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import torch
from torch.optim import SGD, Optimizer
from torch.optim.lr_scheduler import (
    ConstantLR,
    CosineAnnealingLR,
    LambdaLR,
    LRScheduler,
    ReduceLROnPlateau,
)

from wholecase.core.errors import RecipeError
from wholecase.core.table import Table


class Course(ABC):
    """Every member is a frozen value of a recipe's options: which of torch's schedulers, and how.

    It moves one rate that starts at 1. What it comes to is the factor on the rates of all parts,
    so that a course runs on through a change of stage.
    """

    @abstractmethod
    def over(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """A scheduler of this optimizer's rate for a training of at most so many epochs."""


@final
@dataclass(frozen=True)
class Constant(Course):
    """The rates stay what the recipe says."""

    def over(self, optimizer: Optimizer, epochs: int) -> LRScheduler:  # noqa: ARG002
        """A factor of 1."""
        return ConstantLR(optimizer, factor=1.0, total_iters=0)


@final
@dataclass(frozen=True)
class Plateau(Course):
    """Slower each time that the watched score, or the inner loss, was not better for a while.

    The loss moves where a score that counts decisions stands still: at the beginning, when all
    cases are on one side of a half, and among few inner patients.

    Args:
        factor: on the rates, each time.
        patience: epochs without betterment that are let pass; the next one slows down.
        min_delta: least change of the score that counts as betterment.
        floor: share of the recipe's rates below which none falls.
        on: `score`, what early stopping watches, or `loss`, that of the inner patients.
    """

    factor: float = 0.1
    patience: int = 3
    min_delta: float = 1e-4
    floor: float = 0.0
    on: str = "score"

    def __post_init__(self) -> None:
        if self.on not in {"score", "loss"}:
            raise RecipeError(f"the schedule `plateau` looks on score or loss, not {self.on!r}")
        if not 0 < self.factor < 1 or self.patience < 0 or self.min_delta < 0:
            raise RecipeError(
                "the schedule `plateau` needs a factor between 0 and 1, and a patience and "
                "min_delta of at least 0"
            )
        _check_floor(self.floor)

    def over(self, optimizer: Optimizer, epochs: int) -> LRScheduler:  # noqa: ARG002
        """In absolute numbers: a share of a score below zero would count backwards."""
        return ReduceLROnPlateau(
            optimizer,
            factor=self.factor,
            patience=self.patience,
            threshold=self.min_delta,
            threshold_mode="abs",
            min_lr=self.floor,
        )


@final
@dataclass(frozen=True)
class Cosine(Course):
    """From the recipe's rates down to a floor, along half a cosine over all epochs.

    Args:
        floor: share of the recipe's rates that is neared at the end.
    """

    floor: float = 0.0

    def __post_init__(self) -> None:
        _check_floor(self.floor)

    def over(self, optimizer: Optimizer, epochs: int) -> LRScheduler:
        """The floor would be reached in the epoch after the last."""
        return CosineAnnealingLR(optimizer, T_max=epochs, eta_min=self.floor)


@final
@dataclass(frozen=True)
class Followed(Course):
    """The rates of a training that is over, epoch by epoch; no recipe can name it.

    Args:
        factors: of its epochs.
    """

    factors: tuple[float, ...]

    def over(self, optimizer: Optimizer, epochs: int) -> LRScheduler:  # noqa: ARG002
        """After the last epoch nothing is learnt."""
        last = len(self.factors) - 1
        return LambdaLR(optimizer, lambda epoch: self.factors[min(epoch, last)])


SCHEDULES: Table[type[Course]] = Table(
    "schedule", {"constant": Constant, "plateau": Plateau, "cosine": Cosine}, Course
)


@final
class Rates:
    """Where a training stands on its course; the state travels in the checkpoint."""

    def __init__(self, course: Course, epochs: int) -> None:
        self._unit = SGD([torch.zeros(1)], lr=1.0)
        self._scheduler = course.over(self._unit, epochs)
        self._is_by_loss = isinstance(course, Plateau) and course.on == "loss"

    @property
    def factor(self) -> float:
        """On all rates, in the epoch that comes."""
        return float(self._unit.param_groups[0]["lr"])

    def see(self, score: float, loss: float | None = None) -> None:
        """An epoch is over; its watched score and the inner loss, of both lower is better."""
        self._unit.step()
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(loss if self._is_by_loss and loss is not None else score)
        else:
            self._scheduler.step()

    def facts(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {"factor": self.factor, "scheduler": self._scheduler.state_dict()}

    def restore(self, facts: Mapping[str, Any]) -> None:
        """Go on from what `facts` told."""
        self._scheduler.load_state_dict(dict(facts["scheduler"]))
        self._unit.param_groups[0]["lr"] = facts["factor"]


def factors_over(course: Course, epochs: int, first: int) -> tuple[float, ...]:
    """The factors of the first epochs of a training of so many, unless a score moves them."""
    rates, factors = Rates(course, epochs), []
    for _ in range(first):
        factors.append(rates.factor)
        rates.see(0.0)
    return tuple(factors)


def _check_floor(floor: float) -> None:
    if not 0 <= floor <= 1:
        raise RecipeError(f"the floor of a schedule is a share of the rates, 0 to 1, not {floor}")
