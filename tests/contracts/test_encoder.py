"""What every encoder of the table promises."""

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from torchvision.models import resnet50

from toys.onnx_network import onnx_network
from wholecase.encoders import ENCODERS, EncoderSpec


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    """What each encoder needs to be told; weights are drawn."""
    folder = tmp_path_factory.mktemp("weights")

    def saved(name, model):
        save_file(model.state_dict(), folder / name)
        return str(folder / name)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {
            "onnx": {"weights": onnx_network(folder / "d.onnx", side=224)},
            "paired": {
                "members": [
                    "colour",
                    {
                        "name": "test_vit",
                        "weights": saved("c.safetensors", timm.create_model("test_vit")),
                    },
                ]
            },
            "resnet50": {"weights": saved("a.safetensors", resnet50())},
            "timm": {
                "model": "test_resnet",
                "weights": saved("b.safetensors", timm.create_model("test_resnet")),
            },
        }


@pytest.fixture(scope="module", params=sorted(ENCODERS))
def encoder(request, options):
    return EncoderSpec(request.param, options.get(request.param, {})).build()


@pytest.fixture(scope="module")
def pixels():
    """Drawn tiles, one of them blank and one black."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(60, 256, (2, 14, 14, 3), np.uint8)
    tiles = coarse.repeat(16, 1).repeat(16, 2)
    flat = np.stack([np.full((224, 224, 3), v, np.uint8) for v in (255, 0)])
    return np.concatenate([tiles, flat])


def test_vectors_are_as_wide_as_said_and_finite(encoder, pixels):
    values = encoder.encode(pixels)
    assert values.shape == (len(pixels), encoder.width)
    assert values.dtype == np.float32
    assert np.isfinite(values).all()


def test_the_same_again(encoder, pixels):
    np.testing.assert_array_equal(encoder.encode(pixels), encoder.encode(pixels))


def test_what_else_is_in_the_batch_changes_nothing(encoder, pixels):
    together = encoder.encode(pixels)
    alone = np.concatenate([encoder.encode(tile[None]) for tile in pixels])
    scale = max(1.0, float(np.abs(alone).max()))
    np.testing.assert_allclose(together, alone, atol=1e-4 * scale)


def test_order_is_kept(encoder, pixels):
    backwards = encoder.encode(pixels[::-1])[::-1]
    np.testing.assert_allclose(backwards, encoder.encode(pixels), atol=1e-4, rtol=1e-4)


def test_different_tiles_differ(encoder, pixels):
    values = encoder.encode(pixels)
    assert len(np.unique(values.round(5), axis=0)) == len(pixels)


def test_pixels_are_left_alone(encoder, pixels):
    before = pixels.copy()
    frozen = pixels.copy()
    frozen.flags.writeable = False
    encoder.encode(frozen)
    np.testing.assert_array_equal(frozen, before)


def test_identity_is_stable(request, options, encoder):
    name = request.node.callspec.params["encoder"]
    again = EncoderSpec(name, options.get(name, {})).settings()
    assert again == {"encoder": encoder.identity, "width": encoder.width}
