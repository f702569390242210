"""How long, how fast, and which parts of the network learn when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up, nearest
from wholecase.training.augment import Augment

OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}


@dataclass(frozen=True)
class Stage:
    """From an epoch on, which parts learn how fast; parts not named are frozen.

    A part is a module's name or its beginning, such as `head` or `backbone.layer4`; the longest
    name that fits a parameter counts.
    """

    start: int
    rates: Mapping[str, float]


@dataclass(frozen=True)
class Schedule:
    """The training section of a recipe."""

    epochs: int
    optimizer: str = "adam"
    rate: float = 1e-4
    decay: float | Mapping[str, float] = 0.0
    """Weight decay, for all or per part."""
    clip_norm: float | None = None
    watch: str = "loss"
    """What early stopping looks at on the inner patients: `loss` or the name of a metric."""
    patience: int | None = None
    """Epochs without betterment before stopping; None trains to the end."""
    min_delta: float = 0.0
    stages: tuple[Stage, ...] = field(default=())
    batchnorm: str = "frozen"
    """`frozen`: every BatchNorm stays in evaluation mode; `active`: those of learning parts wake;
    `all` leaves them to the mode of the model, for networks that start from nothing."""
    augment: Augment | None = None
    """How pixels are changed while learning; judging always sees them as they are."""

    precision: str = "float32"
    """`bfloat16` learns by products of sixteen bits; weights, sums and judging keep thirty-two."""

    def stage(self, epoch: int) -> Stage:
        """The stage of an epoch; without stages all parts learn at `rate`."""
        begun = [stage for stage in self.stages if stage.start <= epoch]
        return begun[-1] if begun else Stage(0, {"": self.rate})


def optimizer_for(model: nn.Module, schedule: Schedule, epoch: int) -> Optimizer:
    """Freeze and thaw the model's parts for this epoch and build the optimizer over the rest.

    Raises:
        RecipeError: a stage names a part that the model does not have.
    """
    stage = schedule.stage(epoch)
    _check_parts(model, stage.rates)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        part = _part(name, stage.rates)
        parameter.requires_grad_(part is not None)
        if part is not None:
            key = (stage.rates[part], _decay(name, schedule.decay))
            groups.setdefault(key, []).append(parameter)
    make: Any = look_up(OPTIMIZERS, schedule.optimizer, "optimizer")
    # one pass over the weights instead of ten, where torch has it
    fused = {p.device.type for p in model.parameters()} <= {"cpu", "cuda"}
    optimizer: Optimizer = make(
        [{"params": p, "lr": rate, "weight_decay": decay} for (rate, decay), p in groups.items()],
        fused=fused,
    )
    return optimizer


def set_modes(model: nn.Module, schedule: Schedule) -> None:
    """Put the model into training mode, frozen BatchNorm excepted."""
    model.train()
    if schedule.batchnorm == "all":
        return
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            learns = any(p.requires_grad for p in module.parameters(recurse=False))
            module.train(schedule.batchnorm == "active" and learns)


def _part(name: str, parts: Mapping[str, Any]) -> str | None:
    fitting = [p for p in parts if p in ("", name) or name.startswith(p + ".")]
    return max(fitting, key=len, default=None)


def _decay(name: str, decay: float | Mapping[str, float]) -> float:
    if not isinstance(decay, Mapping):
        return decay
    part = _part(name, decay)
    return 0.0 if part is None else decay[part]


def _check_parts(model: nn.Module, parts: Mapping[str, Any]) -> None:
    known = {name for name, _ in model.named_modules()}
    for part in parts:
        if part not in known:
            raise RecipeError(
                f"a stage names {part!r}, which the model lacks{nearest(part, known)}"
            )
