"""A network's graph in eight bits: static ranges of pictures, one scale per channel of a weight."""

import tempfile
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from wholecase.core.errors import RecipeError
from wholecase.core.exporting import quiet, ranges_reader

AT_ONCE = 4
"""Pictures whose values between all layers are in memory at a time."""
WEIGHTED = ("Conv", "MatMul", "Gemm")


def in_eight_bits(
    full: Path, path: Path, pictures: Float32[np.ndarray, "N 3 S S"], spared: int
) -> None:
    """Write the graph of an exact network in eight bits, but for the first weighted layers.

    Those see the widest ranges: three of them in full cost a fifth of the speed and halve the
    error of the vectors (docs/performance.md).

    Args:
        full: a file of `Encoder.graph`.
        path: the file to write.
        pictures: whose values between the layers set the ranges (Krishnamoorthi 2018).
        spared: how many layers keep their precision.

    Raises:
        RecipeError: the graph is too large for one file.
    """
    import onnx
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if len(list(full.parent.glob(f"{full.name}*"))) > 1:
        raise RecipeError(
            "networks of more than 1.9 GB cannot be written in eight bits; use encoder.engine=bf16"
        )
    with tempfile.TemporaryDirectory() as folder, quiet():
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(full, ready, skip_symbolic_shape=True)
        layers = [n.name for n in onnx.load(str(ready)).graph.node if n.op_type in WEIGHTED]
        q.quantize_static(
            ready,
            path,
            ranges_reader("pictures", pictures, AT_ONCE),
            quant_format=q.QuantFormat.QDQ,
            per_channel=True,
            # what processors with VNNI multiply at once
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            nodes_to_exclude=layers[:spared],
            extra_options={"MatMulConstBOnly": True, "CalibStridedMinMax": 1},
        )
