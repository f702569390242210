"""A small frozen network as an ONNX file, as if somebody else had made it."""

from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper


def onnx_network(path: Path, side: int = 16, width: int = 12, *, name: str = "pixels") -> str:
    """Squares of 2 px, each turned into `width` numbers (none below 0), averaged."""
    drawn = np.random.default_rng(0).normal(size=(width, 3, 2, 2)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", [name, "w"], ["maps"], strides=[2, 2]),
        helper.make_node("Relu", ["maps"], ["high"]),
        helper.make_node("GlobalAveragePool", ["high"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["vectors"]),
    ]
    floats = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, floats, ["N", 3, side, side])],
        [helper.make_tensor_value_info("vectors", floats, ["N", width])],
        [numpy_helper.from_array(drawn, "w")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), str(path))
    return str(path)
