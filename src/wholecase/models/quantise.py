"""ONNX files in eight bits, and what that costs."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import RunError
from wholecase.core.files import atomic
from wholecase.models.export import quiet, run_onnx

LEAST = 16
"""Patches below which ranges and cost would rest on chance."""
AT_ONCE = 32


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
    """Write weights and activations of an exported patch model in eight bits.

    Ranges are read from every second patch (static, one scale per channel of a weight); the cost is
    measured on the others, which they do not know.

    Args:
        full: a file of `export_onnx` that takes uint8 pixels.
        path: the file to write, whole or not at all.
        patches: like those that will be asked about, both classes among them.

    Raises:
        RunError: there are too few patches.
    """
    from onnxruntime import quantization as q
    from onnxruntime.quantization.shape_inference import quant_pre_process

    if len(patches) < LEAST:
        raise RunError(f"eight bits need {LEAST} patches or more to be set, not {len(patches)}")
    seen, held = patches[::2], patches[1::2]
    with atomic(path) as neighbour, tempfile.TemporaryDirectory() as folder, quiet():
        ready = Path(folder) / "ready.onnx"
        quant_pre_process(full, ready, skip_symbolic_shape=True)
        q.quantize_static(
            ready,
            neighbour,
            _reader(seen),
            quant_format=q.QuantFormat.QDQ,
            per_channel=True,
            activation_type=q.QuantType.QUInt8,
            weight_type=q.QuantType.QInt8,
        )
    off = np.abs(_answers(path, held) - _answers(full, held))
    return Quantised(path, path.stat().st_size, float(off.max()), float(off.mean()), len(held))


def _reader(patches: np.ndarray) -> Any:  # noqa: ANN401 (a class of an import that is not made here)
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = ({"pixels": part} for part in _parts(patches))

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._left, None)

    return Reader()


def _parts(patches: np.ndarray) -> Iterator[np.ndarray]:
    for begin in range(0, len(patches), AT_ONCE):
        yield patches[begin : begin + AT_ONCE]


def _answers(path: Path, patches: np.ndarray) -> np.ndarray:
    return np.concatenate([run_onnx(path, part)[0] for part in _parts(patches)])
