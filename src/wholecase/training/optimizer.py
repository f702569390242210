"""The optimizer of a stage, and what it has learnt of each parameter, kept by name."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up, nearest
from wholecase.training.schedule import Schedule

OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD}

States = dict[str, dict[str, Any]]
"""Parameter -> what its optimizer keeps of it, such as Adam's two moments and its step."""


Groups = dict[tuple[float, float], list[nn.Parameter]]
"""(rate, decay) -> the parameters that learn so."""


def optimizer_for(model: nn.Module, schedule: Schedule, epoch: int) -> Optimizer:
    """Freeze and thaw the model's parts for this epoch and build the optimizer over the rest.

    Raises:
        RecipeError: a stage names a part that the model does not have.
    """
    groups = thaw(model, schedule, epoch)
    make: Any = look_up(OPTIMIZERS, schedule.optimizer, "optimizer")
    # one pass over the weights instead of ten, where torch has it
    fused = {p.device.type for p in model.parameters()} <= {"cpu", "cuda"}
    optimizer: Optimizer = make(
        [
            {"params": p, "lr": rate, "initial_lr": rate, "weight_decay": decay}
            for (rate, decay), p in groups.items()
        ],
        fused=fused,
    )
    return optimizer


def thaw(model: nn.Module, schedule: Schedule, epoch: int) -> Groups:
    """Freeze and thaw the model's parts for this epoch: what is to learn, and how fast.

    Enough to try a schedule: an optimizer loads as much of torch again as torch itself.

    Raises:
        RecipeError: a stage names a part that the model does not have, or there is no such
            optimizer.
    """
    look_up(OPTIMIZERS, schedule.optimizer, "optimizer")
    stage = schedule.stage(epoch)
    _check_parts(model, stage.rates)
    groups: Groups = {}
    for name, parameter in model.named_parameters():
        part = _part(name, stage.rates)
        parameter.requires_grad_(part is not None)
        if part is not None:
            key = (stage.rates[part], _decay(name, schedule.decay))
            groups.setdefault(key, []).append(parameter)
    return groups


def set_rates(optimizer: Optimizer, factor: float) -> None:
    """Every part learns at its stage's rate times the factor."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor


def states_of(model: nn.Module, optimizer: Optimizer) -> States:
    """What the optimizer keeps, by the name of the parameter."""
    state = optimizer.state
    return {name: dict(state[p]) for name, p in model.named_parameters() if p in state}


def adopt(model: nn.Module, optimizer: Optimizer, states: Mapping[str, Mapping[str, Any]]) -> None:
    """Give the optimizer what was kept of the parameters that it moves; it begins the others."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    moved = [names[p] for group in optimizer.param_groups for p in group["params"]]
    kept = {i: dict(states[name]) for i, name in enumerate(moved) if name in states}
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": kept, "param_groups": groups})


def split_states(states: States) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and JSON values apart, each as `parameter/entry`, for a checkpoint."""
    tensors: dict[str, Tensor] = {}
    scalars: dict[str, Any] = {}
    for name, state in states.items():
        for entry, value in state.items():
            place = tensors if isinstance(value, Tensor) else scalars
            place[f"{name}/{entry}"] = value
    return tensors, scalars


def join_states(tensors: Mapping[str, Tensor], scalars: Mapping[str, Any]) -> States:
    """What `split_states` took apart."""
    states: States = {}
    for place, value in [*tensors.items(), *scalars.items()]:
        name, _, entry = place.rpartition("/")
        states.setdefault(name, {})[entry] = value
    return states


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
