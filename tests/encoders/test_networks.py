"""Networks give the vectors that the plain torch code gives, or say why they cannot."""

import hashlib
import json
import pickle
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision.models import resnet50

from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import EncoderSpec

TINY = "test_resnet"  # timm's own network for tests: 96 wide, 160 px


def drawn(side_px, n=3):
    return np.random.default_rng(0).integers(0, 256, (n, side_px, side_px, 3), np.uint8)


def saved(path, model, **sidecar):
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    save_file(state, path)
    if sidecar:
        sidecar["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
        path.with_suffix(".json").write_text(json.dumps(sidecar))
    return str(path)


@pytest.fixture(scope="module")
def full_resnet():
    torch.manual_seed(0)
    return resnet50().eval()


@pytest.fixture(scope="module")
def resnet_file(tmp_path_factory, full_resnet):
    path = tmp_path_factory.mktemp("weights") / "resnet.safetensors"
    told = {"library": "torchvision", "name": "resnet50", "width": 2048}
    return saved(path, full_resnet, **told, mean=[0.5] * 3, std=[0.25] * 3)


@pytest.fixture(scope="module")
def tiny_file(tmp_path_factory):
    torch.manual_seed(0)
    return saved(tmp_path_factory.mktemp("weights") / "tiny.safetensors", timm.create_model(TINY))


def test_resnet50_is_the_third_stage_averaged(resnet_file, full_resnet):
    pixels = drawn(224, n=2)
    encoder = EncoderSpec("resnet50", {"weights": resnet_file}).build()
    seen = []
    hook = full_resnet.layer3.register_forward_hook(lambda *_: seen.append(_[2].mean((2, 3))))
    with torch.no_grad():
        full_resnet((torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - 0.5) / 0.25)
    hook.remove()
    assert (encoder.width, encoder.side_px) == (1024, 224)
    np.testing.assert_allclose(encoder.encode(pixels), seen[0].numpy(), rtol=1e-3, atol=1e-4)


def test_a_name_of_timm_is_an_encoder(tiny_file):
    by_name = EncoderSpec(TINY, {"weights": tiny_file}).build()
    by_option = EncoderSpec("timm", {"model": TINY, "weights": tiny_file}).build()
    assert by_name.identity == by_option.identity
    assert (by_name.width, by_name.side_px) == (96, 160)
    np.testing.assert_array_equal(by_name.encode(drawn(160)), by_option.encode(drawn(160)))


def test_sub_batches_and_memory_order_change_nothing(tiny_file):
    pixels = drawn(160, n=5)
    whole = EncoderSpec(TINY, {"weights": tiny_file}).build().encode(pixels)
    parts = EncoderSpec(TINY, {"weights": tiny_file, "batch": 2}).build()
    np.testing.assert_allclose(parts.encode(pixels), whole, atol=1e-4)
    np.testing.assert_allclose(parts.encode(pixels[::-1])[::-1], whole, atol=1e-4)


def test_other_sides_are_resized(tiny_file):
    encoder = EncoderSpec(TINY, {"weights": tiny_file}).build()
    flat = np.full((1, 40, 40, 3), 90, np.uint8)
    small, large = encoder.encode(flat), encoder.encode(flat.repeat(8, 1).repeat(8, 2))
    # one colour stays that colour at any size
    np.testing.assert_allclose(small, large, atol=1e-4)


def test_identity_tells_weights_normalisation_and_arguments_apart(tmp_path):
    torch.manual_seed(1)
    models = [timm.create_model(TINY) for _ in range(2)]
    told = {"library": "timm", "name": TINY}
    files = [
        saved(tmp_path / "a.safetensors", models[0]),
        saved(tmp_path / "b.safetensors", models[1]),
        saved(tmp_path / "c.safetensors", models[0], **told, mean=[0.1] * 3),
        saved(tmp_path / "d.safetensors", models[0], **told, size_px=64),
        saved(tmp_path / "e.safetensors", models[0], **told, arguments={"output_stride": 16}),
    ]
    found = [EncoderSpec(TINY, {"weights": file}).settings() for file in files]
    assert len({settings["encoder"] for settings in found}) == 5
    assert {settings["width"] for settings in found} == {96}
    # not where it lies or what it is called
    copy = saved(tmp_path / "copy.safetensors", models[0])
    assert EncoderSpec(TINY, {"weights": copy}).settings() == found[0]


@pytest.mark.data
def test_the_real_weights_of_mobilenet(shared):
    file = shared / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
    encoder = EncoderSpec("mobilenetv2_100", {"weights": str(file)}).build()
    assert (encoder.width, encoder.side_px) == (1280, 224)
    # as its README says: pad_type same, x / 127.5 - 1, features without the classifier
    body = timm.create_model("mobilenetv2_100", pad_type="same", num_classes=0).eval()
    state = timm.models.load_state_dict(file)
    body.load_state_dict({k: v for k, v in state.items() if not k.startswith("classifier")})
    pixels = drawn(224, n=2)
    with torch.no_grad():
        expected = body(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1).numpy()
    np.testing.assert_allclose(encoder.encode(pixels), expected, atol=1e-4)


@pytest.mark.data
def test_weights_of_another_network_are_refused(shared, tmp_path):
    file = shared / "weights/mobilenetv2-imagenet/mobilenetv2_100_imagenet.safetensors"
    with pytest.raises(WeightsError, match="belongs to mobilenetv2_100"):
        EncoderSpec("resnet50", {"weights": str(file)}).build()
    alone = tmp_path / "w.safetensors"
    alone.write_bytes(file.read_bytes())
    with pytest.raises(WeightsError, match=r"fills \d+ of the network's \d+ tensors"):
        EncoderSpec("resnet50", {"weights": str(alone)}).build()


def test_a_frozen_network_with_a_random_layer_is_refused(tmp_path, full_resnet):
    state = full_resnet.state_dict()
    state.pop("layer3.5.conv3.weight")
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(WeightsError, match=r"without 'layer3\.5\.conv3\.weight'"):
        EncoderSpec("resnet50", {"weights": str(tmp_path / "w.safetensors")}).build()


@pytest.mark.parametrize("name", ["resnet50", TINY])
def test_without_weights_both_cures_are_told(name):
    with pytest.raises(WeightsError, match=r"encoder\.weights.*encoder\.download"):
        EncoderSpec(name).build()


def test_a_width_that_is_not_the_networks(tmp_path):
    told = {"library": "timm", "name": TINY, "width": 100}
    file = saved(tmp_path / "w.safetensors", timm.create_model(TINY), **told)
    with pytest.raises(WeightsError, match=r"100 numbers.*gives 96"):
        EncoderSpec(TINY, {"weights": file}).build()


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        (EncoderSpec("resnet5O", {"weights": "w"}), "did you mean 'resnet50'"),
        (EncoderSpec("qqqqqqqq"), "known: colour, conch, .*resnet50"),
        (EncoderSpec("timm", {"model": "mobilenetv2_10"}), "did you mean 'mobilenetv2_1"),
        (EncoderSpec("timm"), "needs the option 'model'"),
        (EncoderSpec("resnet50", {"weight": "w"}), "did you mean 'weights'"),
    ],
)
def test_wrong_names_are_told_their_neighbour(spec, match):
    with pytest.raises(RecipeError, match=match):
        spec.build()


def test_wrong_arguments_of_timm(tiny_file):
    spec = EncoderSpec(TINY, {"weights": tiny_file, "arguments": {"colour": "red"}})
    with pytest.raises(RecipeError, match=r"does not take the arguments .*colour"):
        spec.build()


@pytest.mark.parametrize(("device", "match"), [("gpu", "no device is called"), ("cuda", "has no")])
def test_devices_that_are_not_here(tiny_file, device, match):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("it is here")
    with pytest.raises(RecipeError, match=match):
        EncoderSpec(TINY, {"weights": tiny_file}).build(device)


def test_building_draws_nothing_from_the_common_generator(tiny_file):
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    EncoderSpec(TINY, {"weights": tiny_file}).build()
    assert torch.equal(torch.rand(3), expected)


def test_a_spec_travels(tiny_file):
    spec = EncoderSpec(TINY, {"weights": tiny_file})
    assert pickle.loads(pickle.dumps(spec)) == spec


def test_colour_needs_no_torch():
    code = (
        "import sys; from wholecase.encoders import EncoderSpec; EncoderSpec('colour').settings();"
        "print([m for m in ('torch', 'timm') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"
