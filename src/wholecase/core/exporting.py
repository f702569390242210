"""Exporters of networks, without their noise; their files in one thread, and in eight bits."""

import contextlib
import logging
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from onnxruntime import InferenceSession


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Exporters warn and log about themselves; what they made is compared with the model."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnx_ir", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def one_thread_session(path: Path) -> "InferenceSession":
    """An ONNX file, computed on the CPU in one thread; the file is read at once."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])


def ranges_reader(name: str, values: np.ndarray, at_once: int) -> Any:  # noqa: ANN401 (a class of an import that is not made here)
    """What onnxruntime reads to set ranges: so many rows of the input of that name at a time.

    With its option `CalibStridedMinMax: 1` what lies between all layers is in memory for one part
    at a time, else for all.
    """
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.set_range(0, len(self))

        def __len__(self) -> int:
            return math.ceil(len(values) / at_once)

        def set_range(self, start_index: int, end_index: int) -> None:
            chosen = range(start_index * at_once, end_index * at_once, at_once)
            self._left = ({name: values[i : i + at_once]} for i in chosen)

        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(self._left, None)

    return Reader()
