"""Engines are part of what an encoder is, and give nearly the vectors of the exact one."""

import numpy as np
import pytest
import torch

from toys.tiny_network import TINY, tiny_weights
from wholecase.core.errors import RecipeError
from wholecase.encoders import EncoderSpec
from wholecase.encoders.engines import check_engine


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return tiny_weights(tmp_path_factory.mktemp("weights"))


def spec(weights, **options):
    return EncoderSpec(TINY, {"weights": weights, **options})


def drawn(n=5):
    return np.random.default_rng(0).integers(0, 256, (n, 160, 160, 3), np.uint8)


def test_exact_is_what_it_was(weights):
    plain, named = spec(weights).build(), spec(weights, engine="exact").build()
    assert named.identity == plain.identity
    assert "+" not in plain.identity
    np.testing.assert_array_equal(named.encode(drawn()), plain.encode(drawn()))


@pytest.mark.parametrize(
    ("engine", "off"), [("bf16", 3e-2), pytest.param("onnx", 1e-5, marks=pytest.mark.slow)]
)
def test_engines_are_close_and_tell_themselves_apart(weights, engine, off):
    exact, other = spec(weights).build(), spec(weights, engine=engine).build()
    assert other.identity == f"{exact.identity}+{engine}"
    assert (other.width, other.side_px) == (exact.width, exact.side_px)
    expected, found = exact.encode(drawn()), other.encode(drawn())
    assert found.dtype == np.float32
    gap = np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1)
    assert 0 < gap.max() < off
    # what else is in the call changes no vector
    np.testing.assert_allclose(other.encode(drawn()[::-1])[::-1], found, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(other.encode(drawn()[2:3]), found[2:3], rtol=1e-5, atol=1e-5)


def test_each_of_a_pair_has_its_own(weights):
    options = {"weights": weights}
    both = [{"name": TINY, **options, "engine": "bf16"}, {"name": TINY, **options}]
    pair = EncoderSpec("paired", {"members": both})
    encoder = pair.build()
    assert not pair.is_exact
    assert encoder.members[0].identity == f"{encoder.members[1].identity}+bf16"
    assert pair.exact().is_exact
    exact = pair.exact().build()
    assert exact.identity != encoder.identity
    np.testing.assert_array_equal(exact.encode(drawn())[:, 96:], encoder.encode(drawn())[:, 96:])


def test_what_cannot_be_is_said(weights):
    with pytest.raises(RecipeError, match=r"engine='bf61'.*'bf16'"):
        spec(weights, engine="bf61").check()
    with pytest.raises(RecipeError, match=r"onnx computes on the CPU alone.*bf16 or exact"):
        check_engine("onnx", torch.device("cuda"))
    with pytest.raises(RecipeError, match="colour has no option 'engine'"):
        EncoderSpec("colour", {"engine": "bf16"}).check()
