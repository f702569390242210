"""Transformers under other libraries' names compute what those libraries compute."""

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.layers import SwiGLUPacked
from torch.nn import functional as F

from wholecase.core.errors import WeightsError
from wholecase.weights import load_weights

WIDTH, HEADS, DEPTH, SIDE, PATCH, HIDDEN = 24, 3, 2, 28, 14, 64


def drawn(*shapes, seed=0):
    made = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=made) * 0.3 for shape in shapes]


def linear(state, name, rows, columns, seed):
    state[f"{name}.weight"], state[f"{name}.bias"] = drawn((rows, columns), (rows,), seed=seed)


def norm(state, name, seed):
    state[f"{name}.weight"], state[f"{name}.bias"] = drawn((WIDTH,), (WIDTH,), seed=seed)


def embeddings(registers):
    state, patches = {}, (SIDE // PATCH) ** 2
    state["embeddings.cls_token"], state["embeddings.position_embeddings"] = drawn(
        (1, 1, WIDTH), (1, 1 + patches, WIDTH), seed=1
    )
    if registers:
        state["embeddings.register_tokens"] = drawn((1, registers, WIDTH), seed=2)[0]
    name = "embeddings.patch_embeddings.projection"
    state[f"{name}.weight"], state[f"{name}.bias"] = drawn(
        (WIDTH, 3, PATCH, PATCH), (WIDTH,), seed=3
    )
    norm(state, "layernorm", 4)
    return state


def dinov2_state(*, swiglu=False, registers=0):
    """Tensors of a network that was never built, under the names of `Dinov2Model`."""
    state = embeddings(registers)
    state["embeddings.mask_token"] = torch.zeros(1, WIDTH)
    for i in range(DEPTH):
        layer, seed = f"encoder.layer.{i}", 10 * i
        for part in ("query", "key", "value"):
            linear(state, f"{layer}.attention.attention.{part}", WIDTH, WIDTH, seed + len(part))
        linear(state, f"{layer}.attention.output.dense", WIDTH, WIDTH, seed + 6)
        norm(state, f"{layer}.norm1", seed + 7)
        norm(state, f"{layer}.norm2", seed + 8)
        ones = drawn((WIDTH,), (WIDTH,), seed=seed + 9)
        state[f"{layer}.layer_scale1.lambda1"], state[f"{layer}.layer_scale2.lambda1"] = ones
        first, second = ("weights_in", "weights_out") if swiglu else ("fc1", "fc2")
        linear(state, f"{layer}.mlp.{first}", HIDDEN * (2 if swiglu else 1), WIDTH, seed + 11)
        linear(state, f"{layer}.mlp.{second}", WIDTH, HIDDEN, seed + 12)
    return state


def vit_state():
    """The same under the names of `ViTModel`."""
    state = embeddings(0)
    for i in range(DEPTH):
        layer, seed = f"encoder.layer.{i}", 10 * i
        for part in ("query", "key", "value"):
            linear(state, f"{layer}.attention.attention.{part}", WIDTH, WIDTH, seed + len(part))
        linear(state, f"{layer}.attention.output.dense", WIDTH, WIDTH, seed + 6)
        norm(state, f"{layer}.layernorm_before", seed + 7)
        norm(state, f"{layer}.layernorm_after", seed + 8)
        linear(state, f"{layer}.intermediate.dense", HIDDEN, WIDTH, seed + 11)
        linear(state, f"{layer}.output.dense", WIDTH, HIDDEN, seed + 12)
    linear(state, "pooler.dense", WIDTH, WIDTH, 99)
    return state


def affine(state, x, name):
    return x @ state[f"{name}.weight"].T + state[f"{name}.bias"]


def normed(state, x, name):
    centred = x - x.mean(-1, keepdim=True)
    scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-6).sqrt()
    return scaled * state[f"{name}.weight"] + state[f"{name}.bias"]


def attended(state, x, layer):
    heads = []
    for part in ("query", "key", "value"):
        heads.append(affine(state, x, f"{layer}.attention.attention.{part}").chunk(HEADS, dim=-1))
    mixed = [
        (q @ k.T / (WIDTH // HEADS) ** 0.5).softmax(-1) @ v for q, k, v in zip(*heads, strict=True)
    ]
    return affine(state, torch.cat(mixed, -1), f"{layer}.attention.output.dense")


def fed(state, x, layer):
    if f"{layer}.intermediate.dense.weight" in state:
        hidden = F.gelu(affine(state, x, f"{layer}.intermediate.dense"))
        return affine(state, hidden, f"{layer}.output.dense")
    if f"{layer}.mlp.weights_in.weight" in state:
        gate, value = affine(state, x, f"{layer}.mlp.weights_in").chunk(2, dim=-1)
        return affine(state, gate * torch.sigmoid(gate) * value, f"{layer}.mlp.weights_out")
    return affine(state, F.gelu(affine(state, x, f"{layer}.mlp.fc1")), f"{layer}.mlp.fc2")


def naive(state, pixels, before="norm1", after="norm2"):
    """What the papers say, token by token, straight from the tensors; the class token."""
    name = "embeddings.patch_embeddings.projection"
    kernel = state[f"{name}.weight"].reshape(WIDTH, -1)
    squares = pixels.unfold(1, PATCH, PATCH).unfold(2, PATCH, PATCH)  # [3, h, w, P, P]
    flat = squares.permute(1, 2, 0, 3, 4).reshape(-1, 3 * PATCH * PATCH)
    patches = flat @ kernel.T + state[f"{name}.bias"]
    x = torch.cat([state["embeddings.cls_token"][0], patches])
    x = x + state["embeddings.position_embeddings"][0]
    if "embeddings.register_tokens" in state:
        x = torch.cat([x[:1], state["embeddings.register_tokens"][0], x[1:]])
    for i in range(DEPTH):
        layer = f"encoder.layer.{i}"
        scales = [state.get(f"{layer}.layer_scale{n}.lambda1", torch.ones(())) for n in (1, 2)]
        x = x + scales[0] * attended(state, normed(state, x, f"{layer}.{before}"), layer)
        x = x + scales[1] * fed(state, normed(state, x, f"{layer}.{after}"), layer)
    return normed(state, x, "layernorm")[0]


def network(*, swiglu=False, registers=0, scaled=True):
    more = {"mlp_layer": SwiGLUPacked, "act_layer": "silu"} if swiglu else {}
    return timm.create_model(
        "vit_base_patch16_224",
        img_size=SIDE,
        patch_size=PATCH,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=HEADS,
        mlp_ratio=HIDDEN * (2 if swiglu else 1) / WIDTH,
        init_values=1.0 if scaled else None,
        reg_tokens=registers,
        no_embed_class=registers > 0,
        num_classes=0,
        **more,
    ).eval()


def loaded(tmp_path, model, state):
    file = tmp_path / "w.safetensors"
    save_file(state, file)
    assert load_weights(model, file, least=1.0).share == 1
    return model


@pytest.fixture
def pixels():
    return drawn((3, SIDE, SIDE), seed=5)[0]


def close(model, pixels, expected):
    with torch.no_grad():
        torch.testing.assert_close(
            model.forward_features(pixels[None])[0, 0], expected, atol=1e-4, rtol=1e-4
        )


@pytest.mark.parametrize("prefix", ["", "dinov2.", "backbone."])
@pytest.mark.parametrize(("swiglu", "registers"), [(False, 0), (True, 0), (True, 4), (False, 2)])
def test_dinov2_of_transformers(tmp_path, pixels, swiglu, registers, prefix):
    state = dinov2_state(swiglu=swiglu, registers=registers)
    model = loaded(
        tmp_path,
        network(swiglu=swiglu, registers=registers),
        {prefix + k: v for k, v in state.items()},
    )
    close(model, pixels, naive(state, pixels))


@pytest.mark.parametrize("prefix", ["", "vit."])
def test_vit_of_transformers(tmp_path, pixels, prefix):
    state = vit_state()
    model = loaded(tmp_path, network(scaled=False), {prefix + k: v for k, v in state.items()})
    close(model, pixels, naive(state, pixels, "layernorm_before", "layernorm_after"))


RENAMED = {
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.": "",
    "encoder.layer": "blocks",
    "attention.attention.query": "attn.qkv",
    "attention.output.dense": "attn.proj",
    "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma",
    "weights_in": "w12",
    "weights_out": "w3",
    "layernorm": "norm",
}


def as_dinov2_itself(state):
    """From the names of `Dinov2Model` to those of DINOv2's own training."""
    new = {}
    for name, tensor in state.items():
        if ".key." in name or ".value." in name:
            continue
        parts = [name.replace("query", part) for part in ("key", "value") if "query" in name]
        own = name
        for old, made in RENAMED.items():
            own = own.replace(old, made)
        new[own] = torch.cat([tensor, *(state[part] for part in parts)]) if parts else tensor
    return new


@pytest.mark.parametrize(("swiglu", "registers"), [(False, 0), (True, 4)])
def test_dinov2_itself(tmp_path, pixels, swiglu, registers):
    state = dinov2_state(swiglu=swiglu, registers=registers)
    model = loaded(tmp_path, network(swiglu=swiglu, registers=registers), as_dinov2_itself(state))
    close(model, pixels, naive(state, pixels))


def test_other_places_than_the_network_has_are_refused(tmp_path):
    state = dinov2_state()
    state["embeddings.position_embeddings"] = torch.zeros(1, 1 + 9, WIDTH)
    with pytest.raises(WeightsError, match="without 'pos_embed'"):
        loaded(tmp_path, network(), state)


def test_early_swin(tmp_path):
    made = {"embed_dim": 12, "num_heads": (1, 2, 3, 4), "depths": (1, 1, 1, 1), "num_classes": 0}
    given, model = (
        timm.create_model("swin_tiny_patch4_window7_224", **made).eval() for _ in range(2)
    )
    state = {}
    for name, tensor in given.state_dict().items():
        parts = name.split(".")
        if "downsample" in parts:
            parts[1] = str(int(parts[1]) - 1)
        state[".".join(parts)] = tensor
    state["layers.0.blocks.0.attn.relative_position_index"] = torch.zeros(49, 49)
    state["layers.0.blocks.0.attn_mask"] = torch.zeros(4, 49, 49)
    loaded(tmp_path, model, {k: v.contiguous() for k, v in state.items()})
    pixels = drawn((1, 3, 224, 224))[0]
    with torch.no_grad():
        torch.testing.assert_close(model(pixels), given(pixels))
