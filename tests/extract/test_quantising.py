"""Eight bits: ranges of the cohort's own instances, a cost told on others, or nothing written."""

import json

import numpy as np
import onnx
import pytest

from extract.conftest import SIDE, cohort_of
from toys.onnx_network import onnx_network
from toys.tiny_network import TINY, tiny_weights
from wholecase.core.errors import RecipeError
from wholecase.encoders import EncoderSpec
from wholecase.encoders.eight_bits import in_eight_bits
from wholecase.extract import Plan, quantise, quantising
from wholecase.instances import Grid


@pytest.fixture
def cohort(tmp_path, drawn):
    return cohort_of(tmp_path, *(drawn(f"{i}.tif", seed=i, tiles=4).image for i in range(16)))


def test_eight_bits_are_close_and_layers_are_spared(tmp_path):
    onnx_network(tmp_path / "full.onnx", name="pictures")
    seen = np.random.default_rng(0).random((10, 3, 16, 16), np.float32)
    vectors = {}
    for spared in (0, 1):
        path = tmp_path / f"{spared}.onnx"
        in_eight_bits(tmp_path / "full.onnx", path, seen, spared)
        quantised = [n for n in onnx.load(str(path)).graph.node if n.op_type == "QuantizeLinear"]
        assert bool(quantised) == (spared == 0)
        encoder = EncoderSpec("onnx", {"weights": str(path)}).build()
        other = np.random.default_rng(1).integers(0, 256, (6, 16, 16, 3), np.uint8)
        vectors[spared] = encoder.encode(other)
    gap = np.linalg.norm(vectors[0] - vectors[1], axis=1) / np.linalg.norm(vectors[1], axis=1)
    assert 0 < gap.max() < 0.03


def test_shares_are_whole_images(cohort):
    pictures = [np.full((8, 2, 2, 3), i, np.uint8) for i in range(16)]
    shares = quantising._shares(pictures)
    assert [sum(map(len, share)) for share in shares] == [64, 32, 32]
    owners = [{int(pixels[0, 0, 0, 0]) for pixels in share} for share in shares]
    assert len(set.union(*owners)) == sum(map(len, owners)) == 16
    with pytest.raises(RecipeError, match="40 instances of 5 images are too few"):
        quantising._shares(pictures[:5])


def test_what_is_no_network_is_refused(tmp_path, cohort):
    plan = Plan(Grid(SIDE, 0.5), EncoderSpec("colour"), tmp_path)
    with pytest.raises(RecipeError, match="colour is not one network"):
        quantise(cohort, plan, tmp_path / "small.onnx")
    assert not list(tmp_path.glob("*.onnx"))


@pytest.mark.slow
def test_from_a_network_to_a_file_that_encodes(tmp_path, cohort, monkeypatch):
    weights = tiny_weights(tmp_path)
    spec = EncoderSpec(TINY, {"weights": weights})
    plan = Plan(Grid(SIDE, 0.5), spec, tmp_path / "store")
    made = quantise(cohort, plan, tmp_path / "small.onnx")
    assert made.fidelity.instances == 32
    assert quantising.LEAST_COSINE <= made.fidelity.cosine < 1
    encoder = EncoderSpec("onnx", {"weights": str(made.path)}).build()
    assert encoder.identity == made.fidelity.identity
    assert encoder.identity.startswith(f"{TINY}+int8@")
    assert encoder.width == spec.build().width
    told = json.loads(made.path.with_suffix(".json").read_text())
    assert told["fidelity"]["cosine"] == made.fidelity.cosine
    assert not (tmp_path / "store").exists()
    # what is never close enough leaves nothing
    monkeypatch.setattr(quantising, "LEAST_COSINE", 1.0)
    with pytest.raises(RecipeError, match="loses too much in eight bits"):
        quantise(cohort, plan, tmp_path / "never.onnx")
    assert not list(tmp_path.glob("*never*"))
