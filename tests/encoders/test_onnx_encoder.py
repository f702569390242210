"""ONNX files as encoders: what they are held to, and what is refused by name."""

import hashlib
import json

import numpy as np
import onnx
import pytest

from toys.onnx_network import onnx_network
from wholecase.core.errors import RecipeError, WeightsError
from wholecase.encoders import EncoderSpec
from wholecase.encoders.graph_files import sign


def built(path, **options):
    return EncoderSpec("onnx", {"weights": str(path), **options}).build()


@pytest.fixture
def file(tmp_path):
    onnx_network(tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_vectors_are_those_of_the_graph(file):
    encoder = built(file, batch=2)
    pixels = np.random.default_rng(1).integers(0, 256, (5, 16, 16, 3), np.uint8)
    weights = onnx.numpy_helper.to_array(onnx.load(str(file)).graph.initializer[0])
    squares = (pixels / 255).reshape(5, 8, 2, 8, 2, 3)
    maps = np.einsum("nhywxc,kcyx->nkhw", squares, weights)
    expected = np.maximum(maps, 0).mean((2, 3))
    assert (encoder.width, encoder.side_px) == (12, 16)
    np.testing.assert_allclose(encoder.encode(pixels), expected, rtol=1e-5, atol=1e-6)


def test_a_sidecar_says_how_pictures_look(file):
    plain = built(file)
    sha = hashlib.sha256(file.read_bytes()).hexdigest()
    told = {"library": "onnx", "name": "theirs", "mean": [0.5] * 3, "std": [0.25] * 3}
    file.with_suffix(".json").write_text(json.dumps({**told, "sha256": sha}))
    other = built(file)
    assert other.identity.startswith("theirs@")
    assert other.identity != plain.identity
    grey = np.full((1, 16, 16, 3), 153, np.uint8)  # 0.6, which is 0.4 deviations above its mean
    np.testing.assert_allclose(
        other.encode(grey), plain.encode(np.full_like(grey, 102)), rtol=1e-5, atol=1e-6
    )


def test_other_weights_are_another_encoder(file, tmp_path):
    other = onnx.load(str(file))
    drawn = onnx.numpy_helper.to_array(other.graph.initializer[0]) + 1
    other.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(drawn, "w"))
    onnx.save(other, str(tmp_path / "other.onnx"))
    assert built(file).identity != built(tmp_path / "other.onnx").identity


def test_a_processor_that_computes_otherwise_is_told(file):
    sign(file, "net+int8", {"made_of": "net@1"})
    assert built(file).identity.startswith("net+int8@")
    made = onnx.load(str(file))
    (entry,) = made.metadata_props
    gave = json.loads(entry.value)
    gave["gave"][0] *= 1.5
    entry.value = json.dumps(gave)
    onnx.save(made, str(file))
    with pytest.raises(WeightsError, match=r"other vectors on this processor.*cosine 0\.9"):
        built(file)


def test_what_is_no_such_graph_is_refused(file, tmp_path):
    (tmp_path / "text.onnx").write_text("not a graph")
    with pytest.raises(WeightsError, match=r"text\.onnx is no ONNX file"):
        built(tmp_path / "text.onnx")
    with pytest.raises(WeightsError, match="no weight file"):
        EncoderSpec("onnx", {"weights": str(tmp_path / "none.onnx")}).check()
    with pytest.raises(RecipeError, match="weights"):
        EncoderSpec("onnx", {}).check()
    apart = tmp_path / "apart.onnx"
    onnx.save(onnx.load(str(file)), str(apart), save_as_external_data=True, size_threshold=0)
    with pytest.raises(WeightsError, match="keeps weights in other files"):
        built(apart)


def test_a_graph_of_vectors_is_no_encoder(tmp_path):
    value = onnx.helper.make_tensor_value_info
    floats = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "vectors",
        [value("x", floats, ["N", 4])],
        [value("y", floats, ["N", 4])],
    )
    opset = [onnx.helper.make_opsetid("", 17)]
    onnx.save(
        onnx.helper.make_model(graph, opset_imports=opset, ir_version=9),
        str(tmp_path / "vectors.onnx"),
    )
    with pytest.raises(WeightsError, match=r"takes x \['N', 4\].*pictures \[N, 3, S, S\]"):
        built(tmp_path / "vectors.onnx")
