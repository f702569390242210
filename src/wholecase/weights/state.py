"""The tensors of a weight file by name, and never any code of it."""

import hashlib
import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from wholecase.core.errors import WeightsError
from wholecase.core.regular import refuse_irregular

WRAPPERS = ("state_dict", "model_state_dict", "model", "teacher", "net", "network", "weights")
"""Under what training scripts put the tensors, beside optimizers and epochs."""


LONGEST = 160
"""Characters of another's words that are repeated."""
MOST_REPEATED = 2**24
"""Bytes; a tensor that repeats what is stored up to more claims what nobody saved."""


def read_state(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors, or of a .pt, .pth, .torch, .bin or .ckpt file, on the CPU.

    Raises:
        WeightsError: the file is missing, damaged, of another kind, holds no tensors, tensors that
            claim more than is stored, or objects that only running its code could restore.
    """
    if file.suffix not in READERS:
        raise WeightsError(f"{file} is no weight file; its name should end in {', '.join(READERS)}")
    refuse_irregular(file, WeightsError)
    if not file.is_file():
        raise WeightsError(f"there is no weight file {file}; correct the path in the recipe")
    state = _unwrapped(READERS[file.suffix](file))
    if not state:
        raise WeightsError(f"{file} holds no tensors by name; save the network's state_dict()")
    for name, tensor in state.items():
        if not _is_plain(tensor):
            raise WeightsError(
                f"{file}: {name!r} is no plain tensor, or claims more numbers than are stored; "
                "save the network's state_dict() anew"
            )
    return state


def _is_plain(tensor: Tensor) -> bool:
    if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
        return False
    size = tensor.numel() * tensor.element_size()
    return size <= max(tensor.untyped_storage().nbytes(), MOST_REPEATED)


def _read_safetensors(file: Path) -> object:
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except Exception as error:  # damaged bytes lead a library anywhere
        raise _damaged(file, error) from error


def _read_pickled(file: Path) -> object:
    try:
        _check_archive(file)
        with warnings.catch_warnings():
            # about how the file was pickled: it is read, or refused below
            warnings.simplefilter("ignore")
            return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise WeightsError(
            f"{file} is damaged or holds more than tensors, and code in weight files is never "
            "run; save its state_dict() as .safetensors"
        ) from error
    except Exception as error:
        raise _damaged(file, error) from error


def _check_archive(file: Path) -> None:
    """Pass an archive whose checksums hold, which torch itself does not look at.

    Raises:
        ValueError: one does not, or the archive claims more than it stores.
    """
    if not zipfile.is_zipfile(file):
        return
    with zipfile.ZipFile(file) as archive:
        claimed = sum(entry.file_size for entry in archive.infolist())
        if claimed > file.stat().st_size:
            raise ValueError(f"its archive claims {claimed} bytes")
        if (wrong := archive.testzip()) is not None:
            raise ValueError(f"the checksum of {wrong} differs")


def _damaged(file: Path, error: Exception) -> WeightsError:
    reason = str(error).splitlines()[0][:LONGEST] if str(error) else type(error).__name__
    return WeightsError(f"{file} is damaged: {reason}; fetch it again")


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


def state_sha256(model: nn.Module) -> str:
    """A checksum of all tensors of a network, where no file stands for them."""
    running = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        running.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        running.update(tensor.contiguous().numpy().tobytes())
    return running.hexdigest()
