"""One bag in one file, which says what made it and what it should sum to.

A bag of another encoder, spacing or width cannot slip in, and damage is noticed.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.core.errors import StoreError
from wholecase.features.bag import Bag
from wholecase.features.tensors import read_head, write_tensors

SCHEMA = 1
NAMES = ("values", "box_px", "position_um", "scale")
PLANE = "plane"
"""Stored where an instance lies on another slice than the first, and nowhere else."""

SETTLED = 2.0
"""Seconds after which a file that changes again has another time of change on any disk."""
_sound: dict[Path, tuple[int, ...]] = {}
"""State of each file as it was when this process found its checksum right."""


@dataclass(frozen=True)
class Glance:
    """What a bag's file tells without its vectors."""

    instances: int
    facts: dict[str, str]


def write_bag(path: Path, bag: Bag, settings: str) -> None:
    """Write a bag; `settings` is the digest of its store. Equal bags give equal bytes.

    Raises:
        OSError: the disk is full, or the file may not be written.
    """
    tensors = {name: np.ascontiguousarray(getattr(bag, name)) for name in NAMES}
    if bag.plane is not None and bag.plane.any():
        tensors[PLANE] = np.ascontiguousarray(bag.plane)
    label = _label(tensors, bag.facts, settings)
    # one entry: several would be written in an order that changes from run to run
    write_tensors(path, tensors, {"wholecase": json.dumps(label, sort_keys=True)})


def glance_bag(path: Path, settings: str) -> Glance:
    """What a bag's file tells; reads a few hundred bytes, and checks the file's length.

    Raises:
        StoreError: there is none, its head is damaged, or it was made with other settings.
    """
    head = read_head(path)
    try:
        label = json.loads(head["__metadata__"]["wholecase"])
        made_by = label["schema"], label["settings"]
        glance = Glance(int(head["values"]["shape"][0]), dict(label["facts"]))
    except (KeyError, ValueError, TypeError, IndexError) as error:
        raise StoreError(f"{path} cannot be read: {error}; extract again") from error
    if made_by != (SCHEMA, settings):
        raise StoreError(f"{path} was made with other settings; extract again")
    return glance


def read_bag(path: Path, settings: str, *, anew: bool = False) -> Bag:
    """The bag in a file, every byte of it checked; `settings` is the digest of its store.

    A process that learns reads a bag in each epoch: the checksum is computed anew where the file
    has changed since, was written less than `SETTLED` ago, or it is asked for `anew`.

    Raises:
        StoreError: there is none, it is damaged, or it was made with other settings.
    """
    if not path.is_file():
        raise StoreError(f"{path} does not exist; extract the features of its image first")
    state = _state(path)
    tensors, label = _load(path)
    if label.get("schema") != SCHEMA or label.get("settings") != settings:
        raise StoreError(
            f"{path} was made by another version or with other settings than its folder says; "
            "delete it and extract again"
        )
    facts = label["facts"]
    if not anew and state is not None and _sound.get(path) == state:
        return Bag(**tensors, facts=facts)
    # compared as a whole: no byte of the label may differ unseen
    if label != _label(tensors, facts, settings):
        raise StoreError(f"{path} is damaged: its checksum differs; delete it and extract again")
    if state is not None:
        _sound[path] = state
    return Bag(**tensors, facts=facts)


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes with a file; None where a further change might not show yet."""
    told = path.stat()
    changed = max(told.st_mtime_ns, told.st_ctime_ns)
    if time.time_ns() - changed < SETTLED * 1e9:
        return None
    return told.st_ino, told.st_size, told.st_mtime_ns, told.st_ctime_ns


def _label(
    tensors: Mapping[str, np.ndarray], facts: Mapping[str, str], settings: str
) -> dict[str, Any]:
    """What a bag's file says of itself."""
    return {
        "schema": SCHEMA,
        "settings": settings,
        "width": tensors["values"].shape[1],
        "facts": dict(facts),
        "checksum": _checksum(tensors, facts),
    }


def _checksum(tensors: Mapping[str, np.ndarray], facts: Mapping[str, str]) -> str:
    running = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in (*NAMES, *({PLANE} & tensors.keys())):
        tensor = tensors[name]
        running.update(f"{name} {tensor.dtype.str} {tensor.shape}".encode())
        running.update(np.ascontiguousarray(tensor).data)
    return running.hexdigest()


def _load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            label: dict[str, Any] = json.loads((file.metadata() or {})["wholecase"])
            label["facts"] = dict(label["facts"])
            names = (*NAMES, *({PLANE} & set(file.keys())))
            return {name: file.get_tensor(name) for name in names}, label
    except (SafetensorError, KeyError, ValueError, TypeError, OSError) as error:
        raise StoreError(f"{path} is damaged: {error}; delete it and extract again") from error
