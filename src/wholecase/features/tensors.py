"""The safetensors format from its outside: a head that can be read alone, a body that streams.

The library copies a whole bag to write it and maps a whole file to look at it. A bag of a large
slide is a gigabyte, and a store has 100,000 files.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.core.errors import StoreError

TYPES = {"float32": "F32", "int64": "I64"}
"""What bags are made of."""
BYTES = {"F32": 4, "I64": 8}
"""Of one number."""
LONGEST_HEAD = 100_000_000
"""The format's own bound."""


def write_tensors(path: Path, tensors: Mapping[str, np.ndarray], metadata: dict[str, str]) -> None:
    """Write tensors one after the other, the widest numbers first; equal ones give equal bytes.

    Raises:
        OSError: the disk is full, or the file may not be written.
    """
    # a number begins at a multiple of its own width, as readers that map the file want it
    names = sorted(tensors, key=lambda name: (-tensors[name].itemsize, name))
    head: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name in names:
        start, end = end, end + tensors[name].nbytes
        shape = list(tensors[name].shape)
        dtype = TYPES[tensors[name].dtype.name]
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in names:
            file.write(np.ascontiguousarray(tensors[name]).data)


def read_head(path: Path) -> dict[str, Any]:
    """What the file says it holds, once that has been found to be what it stores.

    Raises:
        StoreError: there is no such file, it was cut off, or its head is damaged.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            # a damaged length must not fetch gigabytes
            head: dict[str, Any] = json.loads(file.read(min(length, LONGEST_HEAD, size)))
        claimed = 8 + length + _stored(head)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise StoreError(f"{path} cannot be read: {error}; extract again") from error
    except RecursionError as error:
        raise StoreError(f"{path} cannot be read: its head is too deep; extract again") from error
    if claimed != size:
        raise StoreError(
            f"{path} is cut off: {size} bytes, its head tells {claimed}; extract again"
        )
    return head


def _stored(head: dict[str, Any]) -> int:
    """Bytes of all tensors, one behind the other and each of its shape's size.

    Raises:
        ValueError: the head claims otherwise.
    """
    end = 0
    tensors = {name: one for name, one in head.items() if name != "__metadata__"}
    for name, one in sorted(tensors.items(), key=lambda pair: pair[1]["data_offsets"]):
        sides = one["shape"]
        if not all(type(n) is int and n >= 0 for n in sides):
            raise ValueError(f"{name!r} is of shape {sides}")
        if one["data_offsets"] != [end, end + math.prod(sides) * BYTES[one["dtype"]]]:
            raise ValueError(f"{name!r} of shape {sides} is not where its head says")
        end = one["data_offsets"][1]
    return end
