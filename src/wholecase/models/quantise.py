"""ONNX files in eight bits, and what that costs."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64, UInt8

from wholecase.core.errors import RunError
from wholecase.core.exporting import quiet, ranges_reader
from wholecase.core.files import atomic
from wholecase.models.export import run_onnx

LEAST = 16
"""Patches below which ranges and cost would rest on chance."""
AT_ONCE = 32
IN_EIGHT = ("Conv", "Relu", "MaxPool", "MatMul", "Gemm")
"""Layers with weights, and what lies between them. Not attention, softmax and logits: they take
hardly any time, and in eight bits they cost more than all the others."""


@dataclass(frozen=True)
class Quantised:
    """A file in eight bits, beside the one it was made of."""

    path: Path
    bytes: int
    largest: float
    """Difference of a probability, over the patches that were held back."""
    mean: float
    patches: int
    """How many were held back."""


def quantise(full: Path, path: Path, patches: UInt8[np.ndarray, "M C H W"]) -> Quantised:
    """Write the layers of an exported patch model in eight bits.

    Weights take seven of them: two products with a bright pixel then fit into the sixteen bits in
    which x86 processors without VNNI add them, so what is measured here holds there, too. Ranges
    are read from one half of the patches (static, one scale per channel of a weight); the cost is
    measured on the other, which they do not know.

    Args:
        full: a file of `export_onnx` that takes uint8 pixels.
        path: the file to write, whole or not at all.
        patches: like those that will be asked about, both classes among them.

    Raises:
        RunError: there are too few patches.
    """
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    check_count(len(patches))
    seen, held = (patches[half] for half in halves(len(patches)))
    with atomic(path) as neighbour, tempfile.TemporaryDirectory() as folder, quiet():
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(full, ready, skip_symbolic_shape=True)
        q.quantize_static(
            ready,
            neighbour,
            ranges_reader("pixels", seen, AT_ONCE),
            quant_format=q.QuantFormat.QDQ,
            op_types_to_quantize=list(IN_EIGHT),
            per_channel=True,
            reduce_range=True,
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    off = np.abs(_answers(path, held) - _answers(full, held))
    return Quantised(path, path.stat().st_size, float(off.max()), float(off.mean()), len(held))


def check_count(patches: int) -> None:
    """Nothing, if so many patches are enough.

    Raises:
        RunError: they are not.
    """
    if patches < LEAST:
        raise RunError(f"eight bits need {LEAST} patches or more to be set, not {patches}")


def halves(count: int) -> tuple[Int64[np.ndarray, " seen"], Int64[np.ndarray, " held"]]:
    """Which patches set the ranges, and which are held back: the same for the same number.

    Drawn, because patches often lie in a pattern, such as the classes in turn.
    """
    order = np.random.default_rng(0).permutation(count)
    return np.sort(order[::2]), np.sort(order[1::2])


def _parts(patches: np.ndarray) -> Iterator[np.ndarray]:
    for begin in range(0, len(patches), AT_ONCE):
        yield patches[begin : begin + AT_ONCE]


def _answers(path: Path, patches: np.ndarray) -> np.ndarray:
    return np.concatenate([run_onnx(path, part)[0] for part in _parts(patches)])
