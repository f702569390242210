"""Is a store whole: every byte of every bag or pack, and what lies there that does not belong."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wholecase.core.digest import digest
from wholecase.core.errors import StoreError
from wholecase.core.files import read_json
from wholecase.core.lock import is_held
from wholecase.features.bag_file import read_bag
from wholecase.features.beside import BESIDE, FIDELITY, REFUSED
from wholecase.features.pack_check import check_pack
from wholecase.features.packs import ROWS
from wholecase.features.store import SETTINGS, SUFFIX
from wholecase.features.tensors import read_head
from wholecase.features.tidy import LOCK, leftovers


@dataclass(frozen=True)
class Flaw:
    """A file that is not as it should be."""

    path: Path
    kind: str
    """`damaged` (to be made again), `foreign` (nothing of ours) or `orphaned` (left behind)."""
    reason: str


@dataclass(frozen=True)
class Surveyed:
    """A folder of a store, looked through."""

    folder: Path
    bags: int
    """Or packs, of pixels."""
    flaws: tuple[Flaw, ...]


def survey(root: Path) -> Iterator[Surveyed]:
    """Look through every folder of a store, or the one folder that `root` is; reads every byte.

    Raises:
        StoreError: there is no store.
    """
    if not root.is_dir():
        raise StoreError(f"{root} is no folder; name the one that was given as --store")
    if (root / SETTINGS).exists():
        yield _surveyed(root)
        return
    entries = sorted(root.iterdir())
    if not any((path / SETTINGS).exists() for path in entries):
        raise StoreError(f"{root} holds no store; name the folder that was given as --store")
    for path in entries:
        if _is_digest(path.name):
            yield _surveyed(path)
        else:
            yield Surveyed(path, 0, (Flaw(path, "foreign", "nothing of a store's"),))


def _surveyed(folder: Path) -> Surveyed:
    names = {path for path in folder.iterdir() if not path.name.startswith(".")}
    bags = sorted(path for path in names if path.suffix == SUFFIX)
    flaws = [*_of_settings(folder), *(flaw for path in bags for flaw in _of_bag(path))]
    keys = {path.stem for path in bags}
    for path in sorted(names - set(bags)):
        flaws += _beside(path, keys)
    for path in leftovers(folder):
        if not (path.name.endswith(LOCK) and is_held(path)):
            flaws.append(Flaw(path, "orphaned", "left by a process that was stopped"))
    return Surveyed(folder, len(bags), tuple(flaws))


def _of_settings(folder: Path) -> list[Flaw]:
    settings_file = folder / SETTINGS
    try:
        if digest(**read_json(settings_file)) == folder.name:
            return []
        reason = "its content does not fit the name of its folder"
    except (OSError, ValueError, TypeError) as error:
        reason = str(error)
    return [Flaw(settings_file, "damaged", f"{settings_file} is damaged: {reason}; extract again")]


def _of_bag(path: Path) -> list[Flaw]:
    try:
        label = read_head(path).get("__metadata__", {}).get("wholecase")
        if label is None or json.loads(label).get("settings") != path.parent.name:
            return [Flaw(path, "foreign", "not made with the settings of its folder")]
        if any(path.parent.glob(f"*{ROWS}")):
            check_pack(path, path.parent.name)
        else:
            read_bag(path, path.parent.name, anew=True)
    except (StoreError, ValueError) as error:
        return [Flaw(path, "damaged", str(error))]
    return []


def _beside(path: Path, keys: set[str]) -> list[Flaw]:
    if path.name in {SETTINGS, FIDELITY} or (path.name == REFUSED and path.is_dir()):
        return []
    for ending in (*BESIDE, ROWS):
        if path.name.endswith(ending):
            if path.name.removesuffix(ending) in keys:
                return []
            return [Flaw(path, "orphaned", "its bag is gone")]
    return [Flaw(path, "foreign", "nothing that a store holds")]


def _is_digest(name: str) -> bool:
    return len(name) == 20 and all(c in "0123456789abcdef" for c in name)
