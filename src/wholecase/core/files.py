"""Nothing half-written: a temporary neighbour, fsync, rename."""

import contextlib
import errno
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a neighbour to write to; it becomes `path` only when the block ends well.

    The neighbour keeps the suffix of `path`, since many writers choose a format by it.

    Raises:
        OSError: of any kind, with the path in it: a full disk by itself does not say where.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.stem[:60]}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield neighbour
        _flush(neighbour)
        neighbour.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        if error.filename in {None, str(neighbour)} and error.errno in OF_WRITING:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        with contextlib.suppress(OSError):  # what went wrong before it is the news
            neighbour.unlink(missing_ok=True)


OF_WRITING = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EISDIR, errno.ENOENT),
}
"""Errors that are about the file that is written, where they name none."""


def refuse_unwritable(path: Path) -> None:
    """Try whether a file could be put there, before there is one; leaves nothing.

    A byte is written: a full disk may still give names to files.

    Raises:
        OSError: it could not, with the path in it.
    """
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest, buffering=0) as file:
            file.write(b"\0")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all; what is there already is not written again."""
    if _holds(path, text.encode("utf-8")):
        return
    with atomic(path) as neighbour:
        neighbour.write_text(text, encoding="utf-8", newline="\n")


def _holds(path: Path, content: bytes) -> bool:
    with contextlib.suppress(OSError):
        return path.stat().st_size == len(content) and path.read_bytes() == content
    return False


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with atomic(path) as neighbour:
        neighbour.write_bytes(content)


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    """Write a JSON file with stable key order; refuses nan, which is not JSON."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:  # noqa: ANN401
    """What `write_json` writes."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def _flush(path: Path) -> None:
    # Windows flushes only handles that may write
    handle = os.open(path, os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":  # a folder has no handle to flush there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def safe_name(text: str) -> str:
    """A file name for any id, the same on Linux, macOS and Windows, distinct for distinct ids.

    >>> safe_name("case_7"), safe_name("a/b") != safe_name("a:b")
    ('case_7', True)
    """
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in text)[:80]
    if kept == text and text.lower() == text and text.upper() not in _RESERVED:
        return text
    # capitals are marked too: two ids that differ by case only share a name on many disks
    return f"{kept}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{d}{i}" for d in ("COM", "LPT") for i in range(1, 10))}
