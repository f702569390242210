"""Tensor files of torch, read without torch.

No code in them is run: of a pickle only the few words that tensors are made of are understood. What
a file claims is compared with what it stores before anything is allocated.
"""

import contextlib
import io
import math
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.core.regular import refuse_irregular

TYPES = {
    "FloatStorage": "f4",
    "DoubleStorage": "f8",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "u1",
}
"""torch's names of storages -> their numbers in a file."""
LONGEST_PICKLE = 2**16
"""That of one tensor has some hundred bytes."""
MOST_MEMO = 2**16
"""Places of a pickle's memory; a claim of more would be allocated at once."""
LONGEST = 160
"""Characters of another's words that are repeated."""
LEGACY_PICKLES = 5
"""Before the numbers of a file older than torch 1.6: mark, version, system, tensor, keys."""


@dataclass(frozen=True)
class Stored:
    """A storage as a pickle speaks of it."""

    kind: str
    key: str
    count: int

    @property
    def dtype(self) -> np.dtype:
        """Of its numbers."""
        return np.dtype(TYPES[self.kind]).newbyteorder("<")


@dataclass(frozen=True)
class View:
    """A tensor as a pickle speaks of it."""

    stored: Stored
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def read_tensor_file(path: Path) -> np.ndarray:
    """The one tensor of a .pt file that holds nothing else; bfloat16 comes as float32.

    Raises:
        SourceError: the file is missing, damaged, holds something else, or less than it claims.
    """
    with _damage(path):
        view, content = _content(path, numbers=True)
        return _shaped(np.frombuffer(content, view.stored.dtype), view)


def tensor_shape(path: Path) -> tuple[int, ...]:
    """The shape of the one tensor of a .pt file, without its numbers.

    Raises:
        SourceError: as for `read_tensor_file`, as far as the numbers need not be looked at.
    """
    with _damage(path):
        return _content(path, numbers=False)[0].shape


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    refuse_irregular(path, SourceError)
    if not path.is_file():
        raise SourceError(f"{path}: no such file; correct the path in the manifest")
    try:
        yield
    except Exception as error:  # a damaged pickle leads anywhere
        words = " ".join(str(error).split())[:LONGEST] or type(error).__name__
        raise SourceError(
            f"{path}: damaged, or not the bare tensor that CLAM writes ({words}); extract it again"
        ) from error


def _content(path: Path, *, numbers: bool) -> tuple[View, bytes]:
    """The tensor as the file speaks of it, found to be stored, and the bytes of its storage."""
    read = _from_zip if zipfile.is_zipfile(path) else _from_legacy
    return read(path, numbers=numbers)


def _from_zip(path: Path, *, numbers: bool) -> tuple[View, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        pickled = next((name for name in names if name.endswith("data.pkl")), None)
        if pickled is None:
            raise ValueError("no pickle in it")
        root = pickled.removesuffix("data.pkl")
        if f"{root}byteorder" in names and _entry(archive, path, f"{root}byteorder") != b"little":
            raise ValueError("its bytes are in the order of another machine")
        if archive.getinfo(pickled).file_size > LONGEST_PICKLE:
            raise ValueError("its pickle is too long for one tensor")
        view = _view_of(_load(io.BytesIO(_entry(archive, path, pickled))))
        stored = f"{root}data/{view.stored.key}"
        _check_view(view, archive.getinfo(stored).file_size)
        return view, _entry(archive, path, stored) if numbers else b""


def _entry(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    """A file of the archive, its checksum compared."""
    entry = archive.getinfo(name)
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > path.stat().st_size:
        raise ValueError(f"{name} claims {entry.file_size} bytes")
    return archive.read(entry)


def _from_legacy(path: Path, *, numbers: bool) -> tuple[View, bytes]:
    with path.open("rb") as file:
        head = io.BytesIO(file.read(LONGEST_PICKLE))
        *_, tensor, _keys = [_load(head) for _ in range(LEGACY_PICKLES)]
        view, start = _view_of(tensor), head.tell() + 8
        size = view.stored.count * view.stored.dtype.itemsize
        _check_view(view, min(size, path.stat().st_size - start))
        file.seek(start)
        return view, file.read(size) if numbers else b""


def _load(file: io.BytesIO) -> Any:  # noqa: ANN401 (whatever it holds)
    start = file.tell()
    for word, number, _ in pickletools.genops(file):
        if "PUT" in word.name and isinstance(number, int) and number > MOST_MEMO:
            raise ValueError("its pickle asks for too much memory")
    file.seek(start)
    return _Words(file).load()


@final
class _Words(pickle.Unpickler):
    """Understands tensors and storages, and nothing else by name."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        known: dict[tuple[str, str], Callable[..., Any]] = {
            ("torch._utils", "_rebuild_tensor_v2"): _view,
            ("collections", "OrderedDict"): OrderedDict,
        }
        if module == "torch" and name in TYPES:
            return name
        if (module, name) not in known:
            raise ValueError(f"it holds {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> Stored:  # noqa: ANN401
        _, kind, key, _, count = pid[:5]
        if kind not in TYPES or not isinstance(count, int) or count < 0:
            raise ValueError(f"it holds numbers of kind {kind}")
        return Stored(kind, str(key), count)


def _view(stored: Stored, offset: int, shape: Any, stride: Any, *_: object) -> View:  # noqa: ANN401
    return View(stored, int(offset), tuple(map(int, shape)), tuple(map(int, stride)))


def _view_of(content: object) -> View:
    if not isinstance(content, View):
        raise ValueError(f"it holds a {type(content).__name__}")  # noqa: TRY004 (one family)
    return content


def _check_view(view: View, stored: int) -> None:
    """Pass a tensor that is among the bytes stored; one that repeats numbers claims too much."""
    count, sides = view.stored.count, list(zip(view.shape, view.stride, strict=True))
    bad = min((view.offset, *view.shape, *view.stride)) < 0
    repeats = any(n > 1 and step == 0 for n, step in sides)
    last = view.offset + sum((n - 1) * step for n, step in sides)
    numbers = math.prod(view.shape)
    beyond = numbers > count or (numbers > 0 and last >= count)
    if bad or repeats or beyond or stored != count * view.stored.dtype.itemsize:
        shape = " x ".join(map(str, view.shape))
        raise ValueError(f"it claims {shape} of {count} numbers and stores {stored} bytes")


def _shaped(numbers: np.ndarray, view: View) -> np.ndarray:
    steps = [step * numbers.itemsize for step in view.stride]
    found = np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, steps)
    if view.stored.kind == "BFloat16Storage":
        return (found.astype(np.uint32) << 16).view(np.float32)
    return found
