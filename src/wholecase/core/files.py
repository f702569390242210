"""Nothing half-written: a temporary neighbour, fsync, rename."""

import contextlib
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a neighbour to write to; it becomes `path` only when the block ends well.

    The neighbour keeps the suffix of `path`, since many writers choose a format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    neighbour = path.with_name(f".{path.stem[:60]}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        yield neighbour
        _flush(neighbour)
        neighbour.replace(path)
        _flush_folder(path.parent)
    finally:
        neighbour.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with atomic(path) as neighbour:
        neighbour.write_text(text, encoding="utf-8", newline="\n")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all."""
    with atomic(path) as neighbour:
        neighbour.write_bytes(content)


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 (whatever JSON holds)
    """Write a JSON file with stable key order; refuses nan, which is not JSON."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")


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
