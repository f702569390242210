"""Images out of a zip or tar archive, each under its own name."""

import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from wholecase.cohort.importers.files import TILE_SUFFIXES
from wholecase.core.errors import ManifestError
from wholecase.core.files import atomic
from wholecase.core.progress import progress

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")
Member = tuple[str, int, Callable[[], Any]]
"""The path in the archive, its bytes, and what opens it."""


def unpacked_images(path: Path, wanted: re.Pattern[str]) -> Path:
    """The folder beside an archive, with the images of it whose names fit; those there stay.

    Folders of the archive are not made, since names tell the images apart; two members of one name
    stand in folders `2`, `3` and so on.

    Raises:
        ManifestError: there is no such file, it is damaged, or the disk is full.
    """
    if not path.is_file():
        raise ManifestError(f"{path}: no such archive; give a folder, or one of {_kinds()}")
    folder = path.with_name(_stem(path.name))
    times: dict[str, int] = {}
    try:
        # pictures do not shrink when packed: their bytes are about those of the archive
        label, size = f"unpack {path.name}", path.stat().st_size
        with _members(path) as members, progress(label, size, "bytes") as advance:
            for name, size, opened in members:
                file = PurePosixPath(name)
                if file.suffix.lower() in TILE_SUFFIXES and wanted.fullmatch(file.stem):
                    times[file.name] = times.get(file.name, 0) + 1
                    _write(folder / _place(file.name, times[file.name]), opened)
                advance(size)
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error) as error:
        raise ManifestError(
            f"{path} cannot be unpacked beside itself ({error}); fetch it again, or unpack it "
            "where there is room"
        ) from error
    folder.mkdir(exist_ok=True)
    return folder


def _kinds() -> str:
    return ", ".join(ARCHIVES)


def _stem(name: str) -> str:
    ending = next(end for end in sorted(ARCHIVES, key=len) if name.lower().endswith(end))
    stem = name[: -len(ending)]
    return stem.removesuffix(".tar") or "images"


def _place(name: str, times: int) -> Path:
    return Path(name) if times == 1 else Path(str(times)) / name


def _write(path: Path, opened: Callable[[], Any]) -> None:
    if path.exists():
        return
    with opened() as source, atomic(path) as neighbour, neighbour.open("wb") as target:
        shutil.copyfileobj(source, target)


@contextmanager
def _members(path: Path) -> Iterator[Iterator[Member]]:
    """The files of an archive in its order; links and folders are passed over."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as zipped:
            files = (one for one in zipped.infolist() if not one.is_dir())
            yield ((one.filename, one.file_size, partial(zipped.open, one)) for one in files)
        return
    with tarfile.open(path) as packed:
        yield (
            (one.name, one.size, partial(packed.extractfile, one)) for one in packed if one.isfile()
        )
