"""The same network under other libraries' names: their tensors as timm has them."""

import re
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor

State = Mapping[str, Tensor]
Names = tuple[tuple[str, str], ...]

_DINOV2_LAYER: Names = (
    ("norm1.", "norm1."),
    ("norm2.", "norm2."),
    ("attention.output.dense.", "attn.proj."),
    ("layer_scale1.lambda1", "ls1.gamma"),
    ("layer_scale2.lambda1", "ls2.gamma"),
    ("mlp.fc1.", "mlp.fc1."),
    ("mlp.fc2.", "mlp.fc2."),
    ("mlp.weights_in.", "mlp.fc1."),
    ("mlp.weights_out.", "mlp.fc2."),
)
_VIT_LAYER: Names = (
    ("layernorm_before.", "norm1."),
    ("layernorm_after.", "norm2."),
    ("attention.output.dense.", "attn.proj."),
    ("intermediate.dense.", "mlp.fc1."),
    ("output.dense.", "mlp.fc2."),
)
_OUTSIDE: Names = (
    ("embeddings.cls_token", "cls_token"),
    ("embeddings.position_embeddings", "pos_embed"),
    ("embeddings.register_tokens", "reg_token"),
    ("embeddings.patch_embeddings.projection.", "patch_embed.proj."),
    ("layernorm.", "norm."),
)
_LITE_OUTSIDE: Names = (
    ("_conv_stem.", "conv_stem."),
    ("_bn0.", "bn1."),
    ("_conv_head.", "conv_head."),
    ("_bn1.", "bn2."),
    ("_fc.", "classifier."),
)
_LITE_BLOCK: Names = (
    ("_expand_conv.", "conv_pw."),
    ("_bn0.", "bn1."),
    ("_depthwise_conv.", "conv_dw."),
    ("_bn1.", "bn2."),
    ("_project_conv.", "conv_pwl."),
    ("_bn2.", "bn3."),
)
_LITE_FIRST: Names = (
    ("_depthwise_conv.", "conv_dw."),
    ("_bn1.", "bn1."),
    ("_project_conv.", "conv_pw."),
    ("_bn2.", "bn2."),
)
"""Of a block that does not expand its channels first."""
_SELF = "attention.attention."
_UNUSED = ("embeddings.mask_token", "mask_token", "pooler.")
"""What only the training of these networks needs."""


def translated(state: State) -> Iterator[dict[str, Tensor]]:
    """The tensors as timm names them, for every naming that the file bears the mark of."""
    for translate, mark in TRANSLATIONS.values():
        root = _root(state, mark)
        if root is not None:
            inside = {k.removeprefix(root): v for k, v in state.items() if k.startswith(root)}
            yield translate(inside)


def from_transformers_vit(state: State) -> dict[str, Tensor]:
    """From `ViTModel` of the transformers library."""
    return _from_transformers(state, _VIT_LAYER)


def from_transformers_dinov2(state: State) -> dict[str, Tensor]:
    """From `Dinov2Model`, with or without registers and SwiGLU, of the transformers library."""
    return _registers_apart(_from_transformers(state, _DINOV2_LAYER))


def from_dinov2(state: State) -> dict[str, Tensor]:
    """From the names that DINOv2 itself trains under."""
    new = (("mlp.w12.", "mlp.fc1."), ("mlp.w3.", "mlp.fc2."), ("register_tokens", "reg_token"))
    renamed = {_replaced(k, new): v for k, v in state.items() if not k.startswith(_UNUSED)}
    return _registers_apart(renamed)


def from_early_swin(state: State) -> dict[str, Tensor]:
    """From Swin as first published, where a stage ends with what timm begins the next with."""
    kept = {k: v for k, v in state.items() if not k.endswith(("relative_position_index", "mask"))}
    return {_STAGE.sub(lambda m: f"layers.{int(m[1]) + 1}.", k): v for k, v in kept.items()}


def from_efficientnet_lite(state: State) -> dict[str, Tensor]:
    """From names with one number for all blocks: timm numbers stages, and blocks within."""
    places = _stages(state)
    return {_of_lite(name, places, state): tensor for name, tensor in state.items()}


def _stages(state: State) -> dict[str, str]:
    """A block's number -> timm's two; a stage begins where a block changes the channels."""
    stage, within, places = -1, 0, {}
    for number in range(sum(name.endswith("_depthwise_conv.weight") for name in state)):
        block = f"_blocks.{number}."
        expand = state.get(f"{block}_expand_conv.weight")
        first = state[f"{block}_depthwise_conv.weight"] if expand is None else expand
        # a depthwise layer has as many rows as channels come in, another as many columns
        comes = first.shape[0 if expand is None else 1]
        starts = comes != state[f"{block}_project_conv.weight"].shape[0] or stage < 0
        stage, within = (stage + 1, 0) if starts else (stage, within + 1)
        places[str(number)] = f"blocks.{stage}.{within}."
    return places


def _of_lite(name: str, places: Mapping[str, str], state: State) -> str:
    block = re.match(r"_blocks\.(\d+)\.", name)
    if block is None or block[1] not in places:
        return _replaced(name, _LITE_OUTSIDE)
    layers = _LITE_BLOCK if f"{block[0]}_expand_conv.weight" in state else _LITE_FIRST
    return places[block[1]] + _replaced(name.removeprefix(block[0]), layers)


_STAGE = re.compile(r"^layers\.(\d+)\.(?=downsample\.)")

TRANSLATIONS: dict[str, tuple[Callable[[State], dict[str, Tensor]], str]] = {
    "transformers vit": (from_transformers_vit, "encoder.layer.0.layernorm_before.weight"),
    "transformers dinov2": (from_transformers_dinov2, "encoder.layer.0.layer_scale1.lambda1"),
    "dinov2": (from_dinov2, "mask_token"),
    "early swin": (from_early_swin, "layers.0.downsample.reduction.weight"),
    "efficientnet lite": (from_efficientnet_lite, "_blocks.0._depthwise_conv.weight"),
}
"""Name of a naming -> how it is read, and a tensor that only it has."""


def _root(state: State, mark: str) -> str | None:
    """What wrappers put before the mark; None where no tensor bears it."""
    found = (k.removesuffix(mark) for k in state if k.endswith(mark))
    return next((root for root in found if not root or root.endswith(".")), None)


def _from_transformers(state: State, layer: Names) -> dict[str, Tensor]:
    new: dict[str, Tensor] = {}
    for name, tensor in state.items():
        head, number, rest = _split(name)
        if name.startswith(_UNUSED):
            continue
        if number is None:
            new[_replaced(head, _OUTSIDE)] = tensor
        elif not rest.startswith(_SELF):
            new[f"blocks.{number}.{_replaced(rest, layer)}"] = tensor
        elif rest.startswith(f"{_SELF}query."):
            kind = rest.removeprefix(f"{_SELF}query.")
            new[f"blocks.{number}.attn.qkv.{kind}"] = _joined(state, name)
    return new


def _split(name: str) -> tuple[str, str | None, str]:
    """A name outside the layers as it is; one inside as number and rest."""
    found = re.match(r"encoder\.layer\.(\d+)\.(.+)", name)
    return (name, None, "") if found is None else ("", found[1], found[2])


def _joined(state: State, query: str) -> Tensor:
    parts = [
        query.replace(f"{_SELF}query.", f"{_SELF}{part}.") for part in ("query", "key", "value")
    ]
    return torch.cat([state[part] for part in parts if part in state])


def _replaced(name: str, names: Names) -> str:
    """The name with the first beginning that fits, after a block's number, exchanged."""
    block = re.match(r"(blocks\.\d+\.)?", name)
    start = block[0] if block else ""
    rest = name.removeprefix(start)
    for old, new in names:
        if rest.startswith(old):
            return start + new + rest.removeprefix(old)
    return name


def _registers_apart(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Add the class token's place to it where there are registers: timm gives neither a place."""
    if {"reg_token", "pos_embed", "cls_token"} <= state.keys():
        places = state["pos_embed"]
        state["cls_token"] = state["cls_token"] + places[:, :1]
        state["pos_embed"] = places[:, 1:]
    return state
