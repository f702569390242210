"""Where work runs, decided once: `auto` is CUDA, Apple MPS or the CPU, 0 workers one per core."""

import ctypes
import sys
from pathlib import Path

from wholecase.core.errors import RecipeError
from wholecase.execution import Place, cores

DEVICES = ("auto", "cuda", "mps", "cpu")
NVIDIA, AMD = "libcuda.so.1", Path("/dev/kfd")
"""The drivers without which torch on Linux finds no CUDA, and no ROCm that it calls so."""


def available_devices() -> tuple[str, ...]:
    """The devices of this machine, the fastest first."""
    if _has_none_but_cpu():
        return ("cpu",)
    import torch

    there = [("cuda", torch.cuda.is_available()), ("mps", torch.backends.mps.is_available())]
    return (*(name for name, is_there in there if is_there), "cpu")


def place_of(device: str = "auto", workers: int = 0) -> Place:
    """A place that this machine has; 0 workers is one per core.

    Raises:
        RecipeError: the device is unknown, or not on this machine.
    """
    kind = device.split(":", maxsplit=1)[0]
    if kind not in DEVICES:
        raise RecipeError(f"no device is called {device!r}; known: {', '.join(DEVICES)}")
    if kind == "cpu":
        return Place(device, workers or cores())
    there = available_devices()
    if device != "auto" and kind not in there:
        raise RecipeError(f"this machine has no {device}; it has {', '.join(there)}")
    return Place(there[0] if device == "auto" else device, workers or cores())


def _has_none_but_cpu() -> bool:
    """Whether that can be told without torch, which takes a second and 0.5 GiB to load."""
    if "torch" in sys.modules or sys.platform != "linux" or AMD.exists():
        return False
    try:
        ctypes.CDLL(NVIDIA)
    except OSError:
        return True
    return False
