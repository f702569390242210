"""The bytes of one file at any position."""

import os
import threading
from pathlib import Path
from typing import BinaryIO, final


@final
class BytesOf:
    """Reads pieces of a file; threads may share it, and a forked child opens the file itself."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.size = path.stat().st_size
        self._process = 0
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes.

        Raises:
            EOFError: the file ends before.
            OSError: it cannot be read.
        """
        # a child shares its parent's file position, and a lock that a lost thread may hold
        if self._process != os.getpid():
            self._file, self._lock, self._process = None, threading.Lock(), os.getpid()
        with self._lock:
            if self._file is None:
                # nothing is read beyond what is asked for: tiles are asked for once
                self._file = self._path.open("rb", buffering=0)
            # asked beyond the end, a file of a few bytes must not cost gigabytes
            piece = _piece(self._file, offset, min(length, max(self.size - offset, 0)))
        if len(piece) < length:
            raise EOFError(f"the file ends within the {length} bytes at {offset}")
        return piece

    def close(self) -> None:
        """Give the file back; the next reading opens it anew."""
        if self._file is not None and self._process == os.getpid():
            self._file.close()
        self._file = None


def _piece(file: BinaryIO, offset: int, length: int) -> bytes:
    """So many bytes, or what there is before the end; a network disk may give some at a time."""
    piece = _some(file, offset, length)
    while len(piece) < length and (more := _some(file, offset + len(piece), length - len(piece))):
        piece += more
    return piece


def _some(file: BinaryIO, offset: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file.fileno(), length, offset)
    file.seek(offset)  # Windows has no reading by position
    return file.read(length)
