"""What stands between the header of a DICOM slide and its pixels: a place for every frame.

A slide may have a hundred thousand frames; read as nested sequences, their places would take half a
minute and a gigabyte. Here each element is stepped over once.
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

Buffer = bytes | mmap.mmap

_PIXELS = 0x7FE00010
_EXTENDED_OFFSETS = 0x7FE00001
_COLUMN, _ROW, _HEIGHT, _SPACING = 0x0048021E, 0x0048021F, 0x0040074A, 0x00280030
_SEQUENCES = frozenset((0x52009230, 0x0048021A, 0x00289110))
"""Those around what is wanted, for files that tell no types."""
_ITEMS = 0xFFFE
"""Group of items and delimiters, which have no type."""
_LONG = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""Types whose length has four bytes."""
_UNDEFINED = 0xFFFFFFFF


@dataclass
class Tail:
    """What was found; lists are in the order of the frames."""

    columns: list[int] = field(default_factory=list)
    """Left edge of each frame, counted from 1; empty where frames tell no place."""
    rows: list[int] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)
    """Focal plane of each frame; may be empty."""
    spacing_mm: tuple[float, ...] = ()
    """Of the first frame, down and across."""
    extended: bytes = b""
    """The Extended Offset Table."""
    pixels_at: int = -1
    """Where the element of the pixels begins, -1 where there is none."""


def read_tail(data: Buffer, at: int, *, explicit: bool, little: bool, most: int) -> Tail:
    """Everything from `at` to the pixels; a sequence is no more than the elements inside it.

    Args:
        data: the file.
        at: where the tail begins.
        explicit: whether elements tell their types.
        little: whether the lowest byte comes first.
        most: elements that may stand there.

    Raises:
        struct.error: the data end before the pixels, or in an element.
        ValueError: a place is no number, or there are too many elements.
    """
    order, tail = "<" if little else ">", Tail()
    for tag, start, length in _elements(data, at, order, explicit=explicit, most=most):
        value = data[start : start + length]
        if tag == _COLUMN:
            tail.columns.append(struct.unpack(f"{order}i", value)[0])
        elif tag == _ROW:
            tail.rows.append(struct.unpack(f"{order}i", value)[0])
        elif tag == _HEIGHT:
            tail.heights.append(float(value.strip(b"\0 ") or 0))
        elif tag == _SPACING and not tail.spacing_mm:
            tail.spacing_mm = tuple(float(v) for v in value.strip(b"\0 ").split(b"\\"))
        elif tag == _EXTENDED_OFFSETS:
            tail.extended = value
        elif tag == _PIXELS:
            tail.pixels_at = start
    return tail


def _elements(
    data: Buffer, at: int, order: str, *, explicit: bool, most: int
) -> Iterator[tuple[int, int, int]]:
    # tag, start and length of the values wanted; of the pixels, the start of the element itself
    wanted = {_COLUMN, _ROW, _HEIGHT, _SPACING, _EXTENDED_OFFSETS}
    tags, short, long = (struct.Struct(order + form) for form in ("HH", "H", "I"))
    for _ in range(most):
        if at >= len(data):
            return
        group, element = tags.unpack_from(data, at)
        tag = group << 16 | element
        if tag == _PIXELS:
            yield tag, at, 0
            return
        kind = data[at + 4 : at + 6] if explicit and group != _ITEMS else b""
        if kind and kind != b"SQ" and kind not in _LONG:
            start, length = at + 8, short.unpack_from(data, at + 6)[0]
        else:
            start = at + (12 if kind else 8)
            length = long.unpack_from(data, start - 4)[0]
        inside = kind == b"SQ" or tag in _SEQUENCES or group == _ITEMS or length == _UNDEFINED
        if tag in wanted:
            yield tag, start, length
        at = start if inside else start + length
    raise ValueError(f"more than {most} elements before its pixels")
