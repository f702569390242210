"""Bags on disk, by content: the same image, cut and encoded alike, is encoded once.

A store is the folder of one set of settings. Its files say what made them and what they should sum
to, so that a bag of another encoder, spacing or width cannot slip in, and damage is noticed.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from wholecase.core.digest import digest
from wholecase.core.errors import StoreError
from wholecase.core.files import atomic, read_json, write_json
from wholecase.features.bag import Bag

SCHEMA = 1
NAMES = ("values", "box_px", "position_um", "scale")
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Glance:
    """What a bag's file tells without its vectors."""

    instances: int
    facts: dict[str, str]


@final
class Store:
    """The bags made with the same settings, one file per image content.

    Args:
        root: holds the folders of all settings.
        settings: everything that determines a bag but the image: JSON values, among them `width`,
            the length of a vector.

    Raises:
        StoreError: the folder of these settings was made with others.
    """

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        # through JSON, so that tuples compare equal to the lists that will be read
        self.settings: dict[str, Any] = json.loads(json.dumps(dict(settings), allow_nan=False))
        self.width = int(self.settings["width"])
        self.digest = digest(schema=SCHEMA, **self.settings)
        self.folder = root / self.digest
        self._claim()

    def key(self, fingerprint: str, mpp: float | None = None) -> str:
        """The name of an image's bag: its content, and the spacing that the manifest imposes."""
        return fingerprint if mpp is None else f"{fingerprint}-{digest(mpp=float(mpp))[:8]}"

    def has(self, key: str) -> bool:
        """Whether the bag is there. A file that is there is whole: it was renamed into place."""
        return self._path(key).is_file()

    def keys(self) -> tuple[str, ...]:
        """The keys of all bags, sorted."""
        found = self.folder.glob(f"*{SUFFIX}")
        return tuple(sorted(path.stem for path in found if not path.name.startswith(".")))

    def write(self, key: str, bag: Bag) -> None:
        """Store the bag, whole or not at all; equal bags give equal bytes.

        Raises:
            StoreError: the bag is empty, of another width, or holds values that are not finite.
        """
        from safetensors.numpy import save_file

        self._check(key, bag)
        tensors = {name: np.ascontiguousarray(getattr(bag, name)) for name in NAMES}
        label = {
            "schema": SCHEMA,
            "settings": self.digest,
            "width": self.width,
            "facts": bag.facts,
            "checksum": _checksum(tensors, bag.facts),
        }
        # one entry: several would be written in an order that changes from run to run
        metadata = {"wholecase": json.dumps(label, sort_keys=True)}
        with atomic(self._path(key)) as neighbour:
            save_file(tensors, neighbour, metadata=metadata)

    def read(self, key: str) -> Bag:
        """The stored bag.

        Raises:
            StoreError: there is none, it is damaged, or it was made with other settings.
        """
        path = self._path(key)
        if not path.is_file():
            raise StoreError(f"{path} does not exist; extract the features of its image first")
        tensors, label = _load(path)
        if label.get("schema") != SCHEMA or label.get("settings") != self.digest:
            raise StoreError(
                f"{path} was made by another version or with other settings than its folder says; "
                "delete it and extract again"
            )
        facts = label.get("facts", {})
        if label.get("checksum") != _checksum(tensors, facts):
            raise StoreError(
                f"{path} is damaged: its checksum differs; delete it and extract again"
            )
        return Bag(**tensors, facts=facts)

    def glance(self, key: str) -> Glance:
        """Number of instances and facts of a stored bag; reads a few hundred bytes.

        Raises:
            StoreError: there is none, or its head is damaged.
        """
        from safetensors import SafetensorError, safe_open

        path = self._path(key)
        try:
            with safe_open(path, framework="numpy") as file:
                label = json.loads((file.metadata() or {})["wholecase"])
                return Glance(int(file.get_slice("values").get_shape()[0]), label["facts"])
        except (SafetensorError, KeyError, ValueError, OSError) as error:
            raise StoreError(f"{path} cannot be read: {error}; extract again") from error

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _claim(self) -> None:
        told = self.folder / "settings.json"
        mine = {"schema": SCHEMA, **self.settings}
        if not told.is_file():
            write_json(told, mine)
            return
        try:
            theirs = read_json(told)
        except ValueError as error:
            raise StoreError(
                f"{told} is damaged; delete {self.folder} and extract again"
            ) from error
        if theirs != mine:
            raise StoreError(f"{told} was changed; delete {self.folder} and extract again")

    def _check(self, key: str, bag: Bag) -> None:
        if not len(bag):
            raise StoreError(f"the bag {key} is empty; an image without instances is no bag")
        if bag.values.shape[1] != self.width:
            raise StoreError(
                f"the bag {key} has vectors of {bag.values.shape[1]} numbers, the store "
                f"{self.folder} holds {self.width}; name the encoder's own width"
            )
        if not np.isfinite(bag.values).all():
            raise StoreError(
                f"the bag {key} holds features that are not finite; check the image and the weights"
            )


def _checksum(tensors: Mapping[str, np.ndarray], facts: Mapping[str, str]) -> str:
    running = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name in NAMES:
        tensor = tensors[name]
        running.update(f"{name} {tensor.dtype.str} {tensor.shape}".encode())
        running.update(np.ascontiguousarray(tensor).data)
    return running.hexdigest()


def _load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            label: dict[str, Any] = json.loads((file.metadata() or {})["wholecase"])
            return {name: file.get_tensor(name) for name in NAMES}, label
    except (SafetensorError, KeyError, ValueError, OSError) as error:
        raise StoreError(f"{path} is damaged: {error}; delete it and extract again") from error
