"""Bags on disk, by content: the same image, cut and encoded alike, is encoded once.

A store is the folder of one set of settings, told beside its bags. Several processes may write to
one at a time.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, final

import numpy as np

from wholecase.core.digest import digest
from wholecase.core.errors import StoreError
from wholecase.core.files import atomic, read_json, write_bytes, write_json
from wholecase.core.lock import Lock, acquire, holder, is_held
from wholecase.features.bag import Bag
from wholecase.features.bag_file import SCHEMA, Glance, glance_bag, read_bag, write_bag
from wholecase.features.beside import FIDELITY, PICTURE, REFUSED

SUFFIX = ".safetensors"
SETTINGS = "settings.json"


class UnwritableError(StoreError):
    """The disk is full or may not be written: no image can be stored until that is mended."""


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

    @classmethod
    def there(cls, root: Path, settings: Mapping[str, Any]) -> "Store | None":
        """The store of these settings where somebody made it; nothing is made here."""
        name = digest(schema=SCHEMA, **json.loads(json.dumps(dict(settings), allow_nan=False)))
        return cls(root, settings) if (root / name / SETTINGS).is_file() else None

    def key(
        self,
        fingerprint: str,
        mpp: float | None = None,
        outline: str | None = None,
        window: tuple[int, int] | None = None,
    ) -> str:
        """The name of an image's bag: its content, and what the manifest imposes on it.

        Args:
            fingerprint: of the image's content.
            mpp: the spacing that the manifest tells.
            outline: digest of the tissue's outline that the manifest names.
            window: the stored samples that it calls black and white.
        """
        imposed: dict[str, Any] = {} if mpp is None else {"mpp": float(mpp)}
        if outline is not None:
            imposed["outline"] = outline
        if window is not None:
            imposed["window"] = list(window)
        return f"{fingerprint}-{digest(**imposed)[:8]}" if imposed else fingerprint

    def has(self, key: str) -> bool:
        """Whether a bag is there and whole by its head and length; `read` looks at every byte."""
        return self.peek(key) is not None

    def peek(self, key: str) -> Glance | None:
        """What the bag's file tells, or None where there is none or it is damaged."""
        try:
            return self.glance(key) if self.path(key).is_file() else None
        except StoreError:
            return None

    def claim(self, key: str) -> Lock | None:
        """The right to make a bag, or None while another process holds it; release it after.

        Raises:
            UnwritableError: the disk is full or may not be written.
        """
        with _written(lock := self.lock(key)):
            return acquire(lock)

    def is_claimed(self, key: str) -> bool:
        """Whether a living process makes the bag now."""
        return is_held(self.lock(key))

    def claimant(self, key: str) -> str:
        """Who makes the bag now, in words."""
        return holder(self.lock(key))

    def keys(self) -> tuple[str, ...]:
        """The keys of all bags, sorted."""
        found = self.folder.glob(f"*{SUFFIX}")
        return tuple(sorted(path.stem for path in found if not path.name.startswith(".")))

    def write(self, key: str, bag: Bag) -> None:
        """Store the bag, whole or not at all; equal bags give equal bytes.

        Raises:
            StoreError: the bag is empty, of another width, or holds values that are not finite.
            UnwritableError: the disk is full or may not be written; nothing is left of the bag.
        """
        self._check(key, bag)
        with _written(self.path(key)), atomic(self.path(key)) as neighbour:
            write_bag(neighbour, bag, self.digest)

    def read(self, key: str) -> Bag:
        """The stored bag.

        Raises:
            StoreError: there is none, it is damaged, or it was made with other settings.
        """
        return read_bag(self.path(key), self.digest)

    def glance(self, key: str) -> Glance:
        """Number of instances and facts of a stored bag; reads a few hundred bytes.

        Raises:
            StoreError: there is none, or its head is damaged.
        """
        return glance_bag(self.path(key), self.digest)

    def write_beside(self, key: str, ending: str, content: bytes) -> None:
        """Put something for people to look at beside a bag, under one of the endings `BESIDE`.

        Raises:
            UnwritableError: the disk is full or may not be written.
        """
        with _written(path := self.folder / f"{key}{ending}"):
            write_bytes(path, content)

    def write_refused(self, key: str, picture: bytes) -> None:
        """Keep the JPEG of an image that gives no bag, as `refused/<key>.jpg`.

        Raises:
            UnwritableError: the disk is full or may not be written.
        """
        with _written(path := self.folder / REFUSED / f"{key}.jpg"):
            write_bytes(path, picture)

    def write_fidelity(self, content: Mapping[str, Any]) -> None:
        """Keep how the store's vectors lie to those that are computed exactly; JSON values.

        Raises:
            UnwritableError: the disk is full or may not be written.
        """
        with _written(path := self.folder / FIDELITY):
            write_json(path, dict(content))

    def fidelity(self) -> dict[str, Any]:
        """What was kept of that last; nothing where nobody measured it, or it is damaged."""
        with contextlib.suppress(OSError, ValueError):
            return dict(read_json(self.folder / FIDELITY))
        return {}

    def picture(self, key: str) -> Path | None:
        """The picture of what was taken as tissue, or of an image without any, if it is there."""
        kept = self.folder / f"{key}{PICTURE}", self.folder / REFUSED / f"{key}.jpg"
        return next((path for path in kept if path.is_file()), None)

    def path(self, key: str) -> Path:
        """The file of a bag."""
        return self.folder / f"{key}{SUFFIX}"

    def lock(self, key: str) -> Path:
        """The file that says who makes a bag."""
        return self.folder / f".{key}.lock"

    def _claim(self) -> None:
        settings_file = self.folder / SETTINGS
        mine = {"schema": SCHEMA, **self.settings}
        if not settings_file.is_file():
            with _written(settings_file):
                write_json(settings_file, mine)
            return
        try:
            theirs = read_json(settings_file)
        except ValueError as error:
            raise StoreError(
                f"{settings_file} is damaged; delete that one file and extract again, its bags "
                "are kept"
            ) from error
        if theirs != mine:
            raise StoreError(f"{settings_file} was changed; delete {self.folder} and extract again")

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


def unwritable(path: Path, error: OSError) -> UnwritableError:
    """The sentence about a file of a store that cannot be written."""
    return UnwritableError(
        f"{path} cannot be written ({error.strerror or error}); free space there, mend its rights "
        "or name another folder with --store, and repeat the command: it goes on from here"
    )


@contextlib.contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from error
