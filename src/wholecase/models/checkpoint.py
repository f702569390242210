"""A model on disk: safetensors, no code in data, whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from wholecase.core.errors import RunError
from wholecase.core.files import write_bytes


def save_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors with a JSON header of facts."""
    content = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_bytes(path, save(content, {"facts": json.dumps(facts, sort_keys=True)}))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what `save_tensors` wrote.

    Raises:
        RunError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            facts: dict[str, Any] = json.loads((file.metadata() or {}).get("facts", "{}"))
    except (OSError, SafetensorError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); train this fold again") from error
    return tensors, facts


def facts_of_model(path: Path) -> dict[str, Any]:
    """The facts beside a model's state, without reading it; empty for a damaged file."""
    try:
        with safe_open(path, framework="pt") as file:
            facts: dict[str, Any] = json.loads((file.metadata() or {}).get("facts", "{}"))
    except (OSError, SafetensorError, ValueError):
        return {}
    return facts


def save_model(path: Path, model: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write a model's state; what a head remembers are buffers and travels with it."""
    save_tensors(path, model.state_dict(), facts)


def load_model(path: Path, model: nn.Module) -> dict[str, Any]:
    """Load a state into a model of the same make; returns the facts beside it.

    Raises:
        RunError: the file belongs to another model.
    """
    state, facts = load_tensors(path)
    load_state(model, state, str(path))
    return facts


def load_state(model: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Load a state; buffers may change their size, since a memory grows with its cohort."""
    buffers = dict(model.named_buffers())
    for name, tensor in state.items():
        if name in buffers and buffers[name].shape != tensor.shape:
            owner, _, leaf = name.rpartition(".")
            empty = torch.empty_like(tensor, device=buffers[name].device)
            setattr(model.get_submodule(owner), leaf, empty)
    try:
        model.load_state_dict(dict(state), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise RunError(f"{where} belongs to another model: {first}") from error
