"""Decoded pixels on disk: many images in one file, since a file each would be 300,000 files.

A pack is two files: the pixels of its instances as small integers, one row after the other, and an
index that says whose they are. The index is written last: a pack without one does not exist.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int64

from wholecase.core.errors import StoreError
from wholecase.core.files import atomic
from wholecase.features.tensors import write_tensors

SCHEMA = 1
ROWS, INDEX = ".npy", ".safetensors"
COLUMNS = ("starts", "box_px", "position_um", "scale", "size_px")
PLANE = "plane"
"""Stored where an instance lies on another slice than the first, and nowhere else."""


@dataclass(frozen=True)
class PackIndex:
    """Whose pixels lie where in a pack of P images and N instances."""

    keys: tuple[str, ...]
    contents: tuple[str, ...]
    """Per image a digest of its decoded pixels: equal pictures are found by it."""
    starts: Int64[np.ndarray, " bounds"]
    """[P + 1]: image i owns rows starts[i] to starts[i + 1]."""
    box_px: Int64[np.ndarray, "N 4"]
    position_um: Float32[np.ndarray, "N 3"]
    scale: Float32[np.ndarray, " N"]
    size_px: Int64[np.ndarray, "P 2"]
    """Width and height of each image at level 0."""
    plane: Int64[np.ndarray, " N"] | None = None
    """Number of the slice that each instance lies on; None where all lie on the first."""


def pack_name(keys: Sequence[str]) -> str:
    """The name of the pack of these images: the same ones give the same pack."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:20]


def write_index(path: Path, index: PackIndex, settings: str, rows: Sequence[int]) -> None:
    """Write an index, whole or not at all; `rows` is the shape of the pixels beside it."""
    tensors = {name: np.ascontiguousarray(getattr(index, name)) for name in COLUMNS}
    if index.plane is not None and index.plane.any():
        tensors[PLANE] = np.ascontiguousarray(index.plane)
    label = {
        "schema": SCHEMA,
        "settings": settings,
        "rows": list(rows),
        "keys": list(index.keys),
        "contents": list(index.contents),
        "checksum": _checksum(tensors, index),
    }
    with atomic(path) as neighbour:
        write_tensors(neighbour, tensors, {"wholecase": json.dumps(label, sort_keys=True)})


def read_index(path: Path, settings: str) -> tuple[PackIndex, tuple[int, ...]]:
    """An index and the shape of its pixels, every byte of the index checked.

    Raises:
        StoreError: it is damaged, or was made by another version or with other settings.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            label: dict[str, Any] = json.loads((file.metadata() or {})["wholecase"])
            names = (*COLUMNS, *({PLANE} & set(file.keys())))
            tensors = {name: file.get_tensor(name) for name in names}
        keys, contents = tuple(label["keys"]), tuple(label["contents"])
        index = PackIndex(keys, contents, **tensors)
        made_by, checksum = (label["schema"], label["settings"]), label["checksum"]
        rows = tuple(int(side) for side in label["rows"])
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise StoreError(f"{path} is damaged: {error}; delete it and run again") from error
    if made_by != (SCHEMA, settings):
        raise StoreError(f"{path} was made with other settings; delete it and run again")
    if checksum != _checksum(tensors, index) or int(index.starts[-1]) != rows[0]:
        raise StoreError(f"{path} is damaged: its checksum differs; delete it and run again")
    return index, rows


def _checksum(tensors: dict[str, np.ndarray], index: PackIndex) -> str:
    running = hashlib.sha256(json.dumps([index.keys, index.contents]).encode())
    for name in (*COLUMNS, *({PLANE} & tensors.keys())):
        running.update(np.ascontiguousarray(tensors[name]).data)
    return running.hexdigest()
