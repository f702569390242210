"""The tensors of a weight file by name, and never any code of it."""

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from wholecase.core.errors import WeightsError
from wholecase.core.regular import refuse_irregular

WRAPPERS = ("state_dict", "model_state_dict", "model", "teacher", "net", "network", "weights")
"""Under what training scripts put the tensors, beside optimizers and epochs."""


def read_state(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, or of a .pt, .pth, .torch, .bin or .ckpt file, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged, of another kind, holds no tensors, or holds
            objects that only running its code could restore.
    """
    if file.suffix not in READERS:
        raise WeightsError(f"{file} is no weight file; its name should end in {', '.join(READERS)}")
    refuse_irregular(file, WeightsError)
    if not file.is_file():
        raise WeightsError(f"there is no weight file {file}; correct the path in the recipe")
    state = _unwrapped(READERS[file.suffix](file))
    if not state:
        raise WeightsError(f"{file} holds no tensors by name; save the network's state_dict()")
    return state


def read_tensor(file: Path) -> Tensor:
    """The one tensor of a .pt file that holds nothing else, on the CPU.

    Raises:
        WeightsError: the file is damaged, or holds something else.
    """
    refuse_irregular(file, WeightsError)
    # mapped into memory where the format allows: its shape is known without reading it
    content = _read_pickled(file, mmap=zipfile.is_zipfile(file))
    if not isinstance(content, Tensor):
        raise WeightsError(
            f"{file} holds a {type(content).__name__}, not one tensor; give the file that the "
            "feature extraction wrote"
        )
    return content


def _read_safetensors(file: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{file} is damaged: {error}; fetch it again") from error


def _read_pickled(file: Path, *, mmap: bool = False) -> object:
    try:
        with warnings.catch_warnings():
            # about how the file was pickled: it is read, or refused below
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True, mmap=mmap)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{file} is damaged or holds more than tensors, and code in weight files is never "
            "run; save its state_dict() as .safetensors"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise WeightsError(f"{file} is damaged: {reason}; fetch it again") from error


READERS = {
    ".safetensors": _read_safetensors,
    ".pt": _read_pickled,
    ".pth": _read_pickled,
    ".torch": _read_pickled,
    ".bin": _read_pickled,
    ".ckpt": _read_pickled,
}


def _unwrapped(content: object) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        if inner := _inside(content):
            content = inner
            continue
        return {str(k): v for k, v in content.items() if isinstance(v, Tensor)}
    return {}


def _inside(content: Mapping[Any, Any]) -> Mapping[Any, Any] | None:
    found = (content.get(name) for name in WRAPPERS)
    return next((inner for inner in found if isinstance(inner, Mapping)), None)
