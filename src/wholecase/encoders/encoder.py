"""Frozen: pixels in, vectors out; a value with all that says what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

Engine = Literal["exact", "bf16", "onnx"]
"""What computes a network: torch in single precision, bit for bit as ever; torch with products of
sixteen bits; onnxruntime in single precision, on the CPU."""
EXACT: Engine = "exact"


@dataclass(frozen=True)
class Encoder:
    """What turns instances into vectors, and never learns."""

    identity: str
    """Stands for network, weights and normalisation: vectors of equal identity may be compared."""
    width: int
    """Numbers per instance."""
    side_px: int | None
    """Side that the network sees; other pictures are resized to it. None: as they come."""
    encode: Callable[[np.ndarray], np.ndarray]
    """uint8 [N, H, W, 3] -> float32 [N, width]; what else is in the call changes no vector."""
    members: tuple["Encoder", ...] = ()
    """Of encoders side by side, whose vectors are concatenated in this order."""
    graph: Callable[[Path], None] | None = None
    """Writes the exact network as an ONNX file that takes pictures float32 [N, 3, S, S] of 0 to 1,
    any number of them; None where there is no one network, or none here."""
