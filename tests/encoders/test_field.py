"""Published encoders: what the table says is what is built, at the scale it was trained at."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from wholecase.assemble import plan_of
from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import FIELD, EncoderSpec, check_spacing
from wholecase.encoders.layers import ConvStem, with_layers
from wholecase.encoders.published import build, network_of
from wholecase.recipes import read_recipe

MILLIONS = {
    "uni": 303,
    "uni2-h": 681,
    "virchow": 631,
    "virchow2": 631,
    "prov-gigapath": 1135,
    "h-optimus-0": 1135,
    "h-optimus-1": 1135,
    "phikon": 86,
    "phikon-v2": 303,
    "hibou-b": 86,
    "hibou-l": 304,
    "kaiko-vit-s16": 22,
    "kaiko-vit-s8": 22,
    "kaiko-vit-b16": 86,
    "kaiko-vit-b8": 86,
    "kaiko-vit-l14": 304,
    "lunit-vit-s16": 22,
    "lunit-vit-s8": 22,
    "ctranspath": 28,
    "midnight": 1136,
}
"""Parameters in millions, as published or as the authors' architecture counts."""
BUILT = [name for name, entry in FIELD.items() if entry.supported]


@pytest.mark.parametrize("name", BUILT)
def test_architectures_are_of_the_published_size(name):
    with torch.device("meta"):
        network = network_of(FIELD[name])
    count = sum(p.numel() for p in network.parameters()) / 1e6
    assert count == pytest.approx(MILLIONS[name], abs=1.5)
    tokens = 2 if FIELD[name].pool == "cls+mean" else 1
    assert network.num_features * tokens == FIELD[name].width


def twin(name):
    """The same network, small: every tensor has its name, few have their size."""
    entry = FIELD[name]
    if entry.pool == "own":
        small = {"embed_dim": 24, "depths": (1, 1, 1, 1), "num_heads": (1, 2, 3, 4)}
        return replace(entry, arguments={**entry.arguments, **small}, width=192)
    small = {"embed_dim": 48, "depth": 1, "num_heads": 3}
    width = 96 if entry.pool == "cls+mean" else 48
    return replace(entry, arguments={**entry.arguments, **small}, width=width)


def saved(path, network, **sidecar):
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, path)
    if sidecar:
        sidecar["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return str(path)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)


@pytest.mark.parametrize("name", BUILT)
def test_twins_load_and_pool_as_the_table_says(name, tmp_path, pixels):
    entry = twin(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = network_of(entry).eval()
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    encoder = build(entry, name, saved(tmp_path / "w.safetensors", network), batch=2, device="cpu")
    values = encoder.encode(pixels)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in entry.norm)
    with torch.no_grad():
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - mean) / std
        tokens = network.forward_features(x)
    if entry.pool == "own":
        expected = tokens.mean((1, 2))
    else:
        patches = tokens[:, -network.patch_embed.num_patches :]
        if entry.arguments.get("dynamic_img_size"):
            patches = tokens[:, -256:]
        parts = [tokens[:, 0]] + ([patches.mean(1)] if entry.pool == "cls+mean" else [])
        expected = torch.cat(parts, 1)
    np.testing.assert_allclose(values, expected.numpy(), atol=2e-4, rtol=1e-3)
    assert encoder.side_px == 224
    assert encoder.identity.startswith(f"{name}@")


def test_the_sidecar_may_say_name_or_architecture(tmp_path):
    entry = twin("uni")
    for number, name in enumerate(("uni", "vit_large_patch16_224")):
        file = saved(tmp_path / f"{number}.safetensors", network_of(entry), library="t", name=name)
        assert build(entry, "uni", file, batch=1, device="cpu").width == 48
    file = saved(tmp_path / "o.safetensors", network_of(entry), library="t", name="conch-v1.5")
    with pytest.raises(WeightsError, match=r"belongs to conch-v1\.5"):
        build(entry, "uni", file, batch=1, device="cpu")


def test_another_networks_file_is_refused(tmp_path):
    file = saved(tmp_path / "w.safetensors", network_of(twin("phikon")))
    with pytest.raises(WeightsError, match=r"fills \d+ of the network's \d+ tensors"):
        build(twin("uni"), "uni", file, batch=1, device="cpu")


@pytest.mark.parametrize("name", ["conch", "conch-v1.5"])
def test_what_cannot_be_built_faithfully_is_refused(name):
    with pytest.raises(RecipeError, match=r"attention pooler .* bring the feature files"):
        EncoderSpec(name, {"weights": "w.pt"}).build()


def test_without_weights_both_cures_are_told():
    with pytest.raises(WeightsError, match=r"encoder\.weights.*encoder\.download"):
        EncoderSpec("uni").build()


def test_without_an_address_nothing_is_fetched():
    with pytest.raises(WeightsError, match="ctranspath has no address"):
        EncoderSpec("ctranspath", {"download": True}).build()


@pytest.mark.parametrize(("name", "meant"), [("uni2_h", "uni2-h"), ("h-optimus0", "h-optimus-0")])
def test_wrong_names_are_told_their_neighbour(name, meant):
    with pytest.raises(RecipeError, match=f"did you mean '{meant}'"):
        EncoderSpec(name).build()


def test_the_stem_is_the_one_of_the_paper():
    stem = ConvStem(embed_dim=96).eval()
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        for i in (0, 3):
            batch = stem.proj[i + 1]
            x_out = F.conv2d(x if i == 0 else hidden, stem.proj[i].weight, stride=2, padding=1)
            scale = batch.weight / (batch.running_var + batch.eps).sqrt()
            hidden = ((x_out - batch.running_mean.view(1, -1, 1, 1)) * scale.view(1, -1, 1, 1)
                      + batch.bias.view(1, -1, 1, 1)).clamp(min=0)  # fmt: skip
        expected = F.conv2d(hidden, stem.proj[6].weight, stem.proj[6].bias).permute(0, 2, 3, 1)
        torch.testing.assert_close(stem(x), expected)
    assert [tuple(stem.proj[i].weight.shape) for i in (0, 3, 6)] == [
        (12, 3, 3, 3),
        (24, 12, 3, 3),
        (96, 24, 1, 1),
    ]


def test_layers_are_named_in_data():
    made = with_layers({"mlp_layer": "swiglu_packed", "act_layer": "silu", "depth": 1})
    network = timm.create_model("vit_tiny_patch16_224", num_classes=0, mlp_ratio=4.0, **made)
    assert network.blocks[0].mlp.fc2.in_features * 2 == network.blocks[0].mlp.fc1.out_features
    with pytest.raises(RecipeError, match="did you mean 'swiglu_packed'"):
        with_layers({"mlp_layer": "swiglu_pack"})


CUT = {"name": "grid", "side_px": 224, "spacing_um": 0.5}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("uni", {}),
        ("uni", {"spacing_um": 0.55}),
        ("uni", {"spacing_um": 0.25, "side_px": 448}),
        ("virchow2", {"spacing_um": 1.0}),
        ("ctranspath", {"spacing_um": 1.14}),
        ("resnet50", {"spacing_um": 3.0}),
        ("uni", {"spacing_um": None}),
    ],
)
def test_scales_that_suit(name, changes):
    check_spacing(name, {}, {**CUT, **changes})


@pytest.mark.parametrize(
    ("name", "changes", "seen"),
    [
        ("uni", {"spacing_um": 0.25}, "0.25"),
        ("uni", {"spacing_um": 0.56}, "0.56"),
        ("uni", {"side_px": 512}, "1.14"),
        ("virchow2", {"spacing_um": 0.7}, "0.7"),
    ],
)
def test_another_scale_must_be_insisted_on(name, changes, seen):
    with pytest.raises(RecipeError, match=rf"would see {seen} .*encoder\.any_spacing=true"):
        check_spacing(name, {}, {**CUT, **changes})
    check_spacing(name, {"any_spacing": True}, {**CUT, **changes})


def test_a_recipe_is_checked_before_any_work(tmp_path):
    told = ["encoder=uni", "cut.spacing_um=1.0"]
    with pytest.raises(RecipeError, match=r"uni was trained at 0\.5 µm/px and would see 1 "):
        plan_of(read_recipe("egfr-clam", told), tmp_path)
    plan_of(read_recipe("egfr-clam", [*told, "encoder.any_spacing=true"]), tmp_path)
