"""Checkpoints of the public CLAM implementation under our names.

The layouts are those of its published state dicts: facts about files, no code of theirs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from wholecase.core.errors import WeightsError

PREFIXES = ("module.", "model.")
LOSS_LABELS = "instance_loss_fn.labels"
"""A constant that the smooth SVM of older checkpoints carries along."""
SIZES = {256: "small", 384: "big"}


@dataclass(frozen=True)
class ClamWeights:
    """What a checkpoint is, and its tensors under the names of our model."""

    width: int
    """Numbers per instance."""
    classes: int
    aggregator: dict[str, Any]
    """Name and options, as a recipe has them."""
    tensors: dict[str, Tensor]


def clam_weights(state: Mapping[str, Tensor]) -> ClamWeights:
    """Recognise a CLAM state dict and translate it.

    Known: gated or plain attention, one or several branches, saved with or without dropout layers,
    wrapped in `module.` or `model.`, with the older parallel wrapper `attention_net.module`.

    Raises:
        WeightsError: the tensors are not those of a CLAM model.
    """
    plain = _unwrapped(state)
    names = _Names(plain)
    embed = names.take("attention_net.0", "attention_net.module.0")
    tensors = {"pool.embed.0.weight": embed[0], "pool.embed.0.bias": embed[1]}
    gated = any(".attention_a." in name for name in plain)
    scores = _attention(names, tensors, gated=gated)
    classes = _judges(names, tensors)
    if left := sorted(set(plain) - names.taken - {LOSS_LABELS}):
        raise WeightsError(f"the checkpoint is no CLAM model: it has a tensor {left[0]!r}")
    hidden = tensors["pool.signal.weight"].shape[2]
    if hidden not in SIZES or scores not in {1, classes}:
        raise WeightsError(
            f"the checkpoint is no published CLAM model: attention of width {hidden} with "
            f"{scores} branches for {classes} classes; known are 256 and 384, one or {classes}"
        )
    options = {
        "name": "gated_attention" if gated else "attention",
        "size": SIZES[hidden],
        "heads": 1,
        "branches": "multi" if scores > 1 else "single",
    }
    return ClamWeights(embed[0].shape[1], classes, options, tensors)


class _Names:
    """Takes layers out of a state dict and remembers which."""

    def __init__(self, state: Mapping[str, Tensor]) -> None:
        self._state = state
        self.taken: set[str] = set()

    def take(self, *layers: str) -> tuple[Tensor, Tensor]:
        """Weight and bias of the first of these layers that is there."""
        for layer in layers:
            if f"{layer}.weight" in self._state and f"{layer}.bias" in self._state:
                self.taken |= {f"{layer}.weight", f"{layer}.bias"}
                return _linear(layer, self._state[f"{layer}.weight"], self._state[f"{layer}.bias"])
        raise WeightsError(f"the checkpoint is no CLAM model: it has no layer {layers[0]!r}")

    def starting(self, beginning: str) -> list[str]:
        """Layers whose name begins so, in numeric order."""
        found = {name.rpartition(".")[0] for name in self._state if name.startswith(beginning)}
        numbered = [name for name in found if name.rpartition(".")[2].isdigit()]
        return sorted(numbered, key=lambda name: int(name.rpartition(".")[2]))


def _linear(layer: str, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Weight and bias of a linear layer, each a number that can be counted with."""
    if weight.ndim != 2 or bias.shape != weight.shape[:1] or 0 in weight.shape:
        shapes = " and ".join(" x ".join(map(str, t.shape)) or "one number" for t in (weight, bias))
        raise WeightsError(
            f"the checkpoint is no CLAM model: its layer {layer!r} is of shape {shapes}"
        )
    if not (weight.is_floating_point() and bias.is_floating_point()):
        raise WeightsError(f"the checkpoint is no CLAM model: its layer {layer!r} holds no reals")
    if not (weight.isfinite().all() and bias.isfinite().all()):
        raise WeightsError(
            f"the checkpoint's layer {layer!r} holds numbers that are not finite; its training "
            "failed or it is damaged, ask for another"
        )
    return weight.float(), bias.float()


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    plain = dict(state)
    for prefix in PREFIXES:
        if plain and all(name.startswith(prefix) for name in plain):
            plain = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
    return plain


def _attention(names: _Names, tensors: dict[str, Tensor], *, gated: bool) -> int:
    """Translate the attention layers; returns the number of branches."""
    # without dropout layers the attention stands one place earlier; older files add a wrapper
    places = [f"attention_net.{wrap}{n}" for wrap in ("", "module.") for n in (3, 2)]
    if gated:
        signal = names.take(*(f"{place}.attention_a.0" for place in places))
        gate = names.take(*(f"{place}.attention_b.0" for place in places))
        score = names.take(*(f"{place}.attention_c" for place in places))
        tensors |= _headwise("pool.gate", gate)
    else:
        place = next((p for p in places if len(names.starting(f"{p}.module.")) == 2), places[0])
        layers = names.starting(f"{place}.module.")
        if len(layers) != 2:
            raise WeightsError("the checkpoint is no CLAM model: it has no attention layers")
        signal, score = names.take(layers[0]), names.take(layers[1])
    tensors |= _headwise("pool.signal", signal) | _headwise("pool.score", score)
    return score[0].shape[0]


def _judges(names: _Names, tensors: dict[str, Tensor]) -> int:
    """Translate bag and instance classifiers; returns the number of classes."""
    if several := names.starting("classifiers."):
        rows = [names.take(name) for name in several]
        shapes = {tuple(weight.shape) for weight, _ in rows}
        if len(shapes) > 1 or several[-1] != f"classifiers.{len(several) - 1}":
            raise WeightsError(
                "the checkpoint is no CLAM model: its classifiers do not go together"
            )
        weight, bias = torch.cat([w for w, _ in rows]), torch.cat([b for _, b in rows])
    else:
        weight, bias = names.take("classifiers")
    tensors |= {"head.judge.last.weight": weight, "head.judge.last.bias": bias}
    for number, name in enumerate(names.starting("instance_classifiers.")):
        own = names.take(name)
        tensors |= {
            f"head.instance.{number}.weight": own[0],
            f"head.instance.{number}.bias": own[1],
        }
    return weight.shape[0]


def _headwise(name: str, layer: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
    """A linear layer as a layer of one head."""
    weight, bias = layer
    return {f"{name}.weight": weight.T[None].contiguous(), f"{name}.bias": bias[None]}
