"""Decoded instances on disk, for models that learn from pixels: cut once, read ten thousand times.

A store holds packs of many images. Reading a row is one read of its bytes, from the system's cache
when it is warm, and no memory is kept: a cohort of 7 GB trains in a few hundred megabytes.
"""

import json
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, final

import numpy as np
from jaxtyping import Int64, Integer

from wholecase.core.digest import digest
from wholecase.core.errors import StoreError
from wholecase.core.files import read_json, write_json
from wholecase.core.kinds import RGB, PixelKind
from wholecase.core.picture_digests import picture_digests
from wholecase.features.bag import Bag
from wholecase.features.bag_file import Glance
from wholecase.features.packs import (
    INDEX,
    ROWS,
    SCHEMA,
    PackIndex,
    pack_name,
    read_index,
    write_index,
)
from wholecase.features.rows import Rows
from wholecase.features.store import SETTINGS

T = TypeVar("T")


@dataclass(frozen=True)
class Place:
    """Where an image's pixels lie."""

    pack: int
    """Number of the pack, in the order of their names."""
    image: int
    """Number of the image within the pack."""


@final
class PixelStore:
    """The decoded instances made with the same settings.

    Args:
        root: holds the folders of all settings.
        settings: everything that determines the pixels but the image: the cut.
        kind: what the pixels are, of all images alike; RGB goes without saying.

    Raises:
        StoreError: the folder of these settings was made with others.
    """

    def __init__(self, root: Path, settings: Mapping[str, Any], kind: PixelKind = RGB) -> None:
        self.kind = kind
        named = {**settings, **({} if kind == RGB else {"pixels": kind.name})}
        self.settings: dict[str, Any] = json.loads(json.dumps(named, allow_nan=False))
        self.digest = digest(schema=SCHEMA, **self.settings)
        self.folder = root / self.digest
        self._packs: list[tuple[str, PackIndex, int]] = []
        self._places: dict[str, Place] = {}
        self._rows: dict[int, Rows] = {}
        weakref.finalize(self, _close, self._rows)
        self._claim()
        self.refresh()

    def refresh(self) -> None:
        """Look for packs again, after some were made."""
        _close(self._rows)
        self._packs, self._places = [], {}
        first = 0
        for path in sorted(self.folder.glob(f"*{INDEX}")):
            if path.name.startswith(".") or not path.with_suffix(ROWS).is_file():
                continue
            index, _ = read_index(path, self.digest)
            number = len(self._packs)
            self._packs.append((path.stem, index, first))
            for image, key in enumerate(index.keys):
                self._places.setdefault(key, Place(number, image))
            first += int(index.starts[-1])

    def has(self, key: str) -> bool:
        """Whether the image's pixels are there."""
        return key in self._places

    def content(self, key: str) -> str:
        """The digest of the image's decoded pixels."""
        place = self._place(key)
        return self._packs[place.pack][1].contents[place.image]

    def rows(self, key: str) -> tuple[int, int]:
        """Where the image's instances begin and end, in the numbering of `gather`."""
        place = self._place(key)
        _, index, first = self._packs[place.pack]
        begin, end = index.starts[place.image : place.image + 2].tolist()
        return first + begin, first + end

    def gather(self, rows: Int64[np.ndarray, " n"]) -> Integer[np.ndarray, "n side side channels"]:
        """The pixels of these rows, in this order.

        Raises:
            StoreError: a pack's file was removed or cut off since.
        """
        firsts = np.array([first for _, _, first in self._packs], np.int64)
        owner = np.searchsorted(firsts, rows, side="right") - 1
        packs = np.unique(owner)
        if len(packs) == 1:
            return self._open(int(packs[0])).read(rows - firsts[packs[0]])
        shape = self._open(int(packs[0])).shape[1:]
        pixels = np.empty((len(rows), *shape), self.kind.dtype)
        for pack in packs.tolist():
            here = np.flatnonzero(owner == pack)
            pixels[here] = self._open(pack).read(rows[here] - firsts[pack])
        return pixels

    def rows_path(self, keys: Sequence[str]) -> Path:
        """Where the pixels of a pack of these images go."""
        return self.folder / f"{pack_name(keys)}{ROWS}"

    def write_index(self, keys: Sequence[str], index: PackIndex, shape: tuple[int, ...]) -> None:
        """Say whose the pixels of a pack are, once they are there: this makes the pack.

        Args:
            keys: of all images that were to be in it; some may have failed.
            index: of those that are.
            shape: of its pixels.
        """
        write_index(self.folder / f"{pack_name(keys)}{INDEX}", index, self.digest, shape)

    def column(self, name: str, rows: Int64[np.ndarray, " n"]) -> np.ndarray:
        """`scale` [n], `position_um` [n, 3] or `box_px` [n, 4] of these rows, as `gather` counts.

        A store is shared: of all its rows, nobody should want to know anything.
        """
        parts = [getattr(index, name) for _, index, _ in self._packs]
        column: np.ndarray = np.concatenate(parts)[rows]
        return column

    def read(self, key: str) -> Bag:
        """An image's instances as a bag whose values are pixels.

        Raises:
            StoreError: there are none, or they are damaged.
        """
        place = self._place(key)
        name, index, first = self._packs[place.pack]
        begin, end = index.starts[place.image : place.image + 2].tolist()
        pixels = self.gather(np.arange(first + begin, first + end))
        if content_digest(picture_digests(pixels)) != index.contents[place.image]:
            path = self.folder / f"{name}{ROWS}"
            raise StoreError(f"{path} is damaged; delete it and run again")
        return Bag(
            values=pixels,
            box_px=index.box_px[begin:end],
            position_um=index.position_um[begin:end],
            scale=index.scale[begin:end],
            plane=None if index.plane is None else index.plane[begin:end],
            facts=self._facts(index, place.image),
        )

    def glance(self, key: str) -> Glance:
        """Number of instances and facts of an image; reads nothing."""
        place = self._place(key)
        index = self._packs[place.pack][1]
        begin, end = index.starts[place.image : place.image + 2].tolist()
        return Glance(end - begin, self._facts(index, place.image))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PixelStore) and self.folder == other.folder

    def __hash__(self) -> int:
        return hash(self.folder)

    def __getstate__(self) -> dict[str, Any]:
        # open files and indices do not travel: a worker looks for itself
        settings = {k: value for k, value in self.settings.items() if k != "pixels"}
        return {"root": self.folder.parent, "settings": settings, "kind": self.kind}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["root"], state["settings"], state["kind"])

    def _facts(self, index: PackIndex, image: int) -> dict[str, str]:
        width, height = index.size_px[image].tolist()
        return {"width_px": str(width), "height_px": str(height)}

    def _place(self, key: str) -> Place:
        if key not in self._places:
            raise StoreError(f"{self.folder} holds no pixels of {key}; run again to decode them")
        return self._places[key]

    def _open(self, pack: int) -> Rows:
        if pack not in self._rows:
            path = self.folder / f"{self._packs[pack][0]}{ROWS}"
            rows = Rows(path)
            if rows.dtype != self.kind.dtype or rows.shape[-1] != self.kind.channels:
                rows.close()
                raise StoreError(
                    f"{path} holds {rows.dtype} of shape {rows.shape}, no {self.kind.name} pixels; "
                    f"delete it and run again"
                )
            self._rows[pack] = rows
        return self._rows[pack]

    def _claim(self) -> None:
        settings_file = self.folder / SETTINGS
        mine = {"schema": SCHEMA, **self.settings}
        if not settings_file.is_file():
            write_json(settings_file, mine)
        elif read_json(settings_file) != mine:
            raise StoreError(f"{settings_file} was changed; delete {self.folder} and run again")


def _close(files: dict[int, Rows]) -> None:
    while files:
        files.popitem()[1].close()


def content_digest(instances: Sequence[str]) -> str:
    """The digest of an image from those of its instances' pixels (`core.pictures`)."""
    return instances[0] if len(instances) == 1 else digest(instances=list(instances))


class Imposed(NamedTuple):
    """What a manifest imposes on an image."""

    kind: str
    mpp: float | None
    outline: str | None
    """Digest of the tissue's outline."""
    window: tuple[int, int] | None = None
    """The stored samples that are black and white."""


@cache
def _imposed(imposed: Imposed) -> str:
    kind, mpp, outline, window = imposed
    more = {} if window is None else {"window": list(window)}
    spacing = None if mpp is None else float(mpp)
    return digest(kind=kind, mpp=spacing, outline=outline, **more)[:8]


def pixel_key(content: str, imposed: Imposed) -> str:
    """The name of an image's pixels: its content, and what the manifest imposes on it."""
    return f"{content}-{_imposed(imposed)}"


def chunks(items: Sequence[T], size: int) -> list[tuple[T, ...]]:
    """So many at a time.

    >>> chunks(["a", "b", "c"], 2)
    [('a', 'b'), ('c',)]
    """
    return [tuple(items[i : i + size]) for i in range(0, len(items), size)]
