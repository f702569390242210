"""Where in a DICOM file the bytes of each frame lie (PS3.5, annex A.4)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from wholecase.sources.bytes_of import BytesOf

_ITEM, _DELIMITER = (0xFFFE, 0xE000), (0xFFFE, 0xE0DD)
_HEAD = 8
"""Bytes of tag and length before each item."""
_UNDEFINED = 0xFFFFFFFF
_END_OF_IMAGE = b"\xff\xd9"
"""Closes a frame in all codings of JPEG, JPEG-LS and JPEG 2000; a padding byte may follow."""
MOST_FRAMES = 2**20
"""Of one level: 200,000 x 200,000 px in frames of 256 px have 612,000."""
MOST_FRAGMENTS = 4
"""Pieces of a frame, on average over all; one is usual."""
MOST_OF_ONE = 4096
"""Pieces of a single frame."""


@dataclass(frozen=True)
class PixelElement:
    """Where the pixels of a file begin, and how they are laid down."""

    offset: int
    """Of the element's tag."""
    explicit: bool
    little: bool
    count: int
    """Frames."""
    native_bytes: int | None
    """Of each frame where they are not compressed, else None."""
    extended: bytes
    """The Extended Offset Table; may be empty."""

    def check_count(self, file_bytes: int) -> None:
        """Pass frames as many as a file of that size can hold, before any is placed.

        Raises:
            ValueError: more are announced.
        """
        # a compressed one has a head at least
        able = min(file_bytes // max(self.native_bytes or _HEAD, 1), MOST_FRAMES)
        if self.count > able:
            raise ValueError(f"{self.count} frames are announced and it can hold {able} at most")


def frame_spans(file: BytesOf, pixels: PixelElement) -> Int64[np.ndarray, "F 2"]:
    """Start and end of each frame's bytes, item heads included where frames are compressed.

    Raises:
        ValueError: the pixels are missing, or not as many frames as announced.
        EOFError: the file ends before the last frame.
    """
    start, length = _element(file, pixels)
    if pixels.native_bytes is not None:
        total = pixels.count * pixels.native_bytes
        if total > file.size:
            raise EOFError("the file ends before its last frame")
        if length not in {_UNDEFINED, total, total + 1}:  # an odd length is filled up
            raise ValueError(f"its frames have {length} bytes and {pixels.count} need {total}")
        starts = start + np.arange(pixels.count, dtype=np.int64) * pixels.native_bytes
        spans = np.stack([starts, starts + pixels.native_bytes], axis=1)
    elif length == _UNDEFINED:
        spans = _compressed(file, start, pixels)
    else:
        raise ValueError("compressed pixels without items")
    if spans.max() > file.size:
        raise EOFError("the file ends before its last frame")
    return spans


def frame_bytes(file: BytesOf, span: Int64[np.ndarray, "2"], pixels: PixelElement) -> bytes:
    """The bytes of one frame, its fragments joined."""
    start, end = span.tolist()
    if pixels.native_bytes is not None:
        return file.read(start, end - start)
    pieces = _few(_items(file, start, end), MOST_OF_ONE)
    return b"".join(file.read(at, length) for at, length in pieces)


def _element(file: BytesOf, pixels: PixelElement) -> tuple[int, int]:
    order = "<" if pixels.little else ">"
    if pixels.offset < 0:
        raise ValueError("no pixels")
    head = file.read(pixels.offset, 12)
    at = 8 if pixels.explicit else 4
    (length,) = struct.unpack(f"{order}I", head[at : at + 4])
    return pixels.offset + at + 4, length


def _compressed(file: BytesOf, start: int, pixels: PixelElement) -> Int64[np.ndarray, "F 2"]:
    at, length = next(_items(file, start))
    first = at + length
    if pixels.extended:
        offsets = np.frombuffer(pixels.extended, "<u8").astype(np.int64)
    else:
        offsets = np.frombuffer(file.read(at, length), "<u4").astype(np.int64)
    spans = _tabled(file, first, offsets) if len(offsets) else _walked(file, first, pixels.count)
    if len(spans) != pixels.count:
        raise ValueError(f"{len(spans)} frames where {pixels.count} are announced")
    return spans


def _tabled(
    file: BytesOf, first: int, offsets: Int64[np.ndarray, " F"]
) -> Int64[np.ndarray, "F 2"]:
    starts = np.sort(first + offsets)
    *_, (at, length) = _few(_items(file, int(starts[-1])), MOST_OF_ONE)
    ends = np.append(starts[1:], at + length)
    return np.stack([starts, ends], axis=1)


def _walked(file: BytesOf, first: int, count: int) -> Int64[np.ndarray, "F 2"]:
    items = list(_few(_items(file, first), MOST_OF_ONE + MOST_FRAGMENTS * count))
    starts = np.array([at - _HEAD for at, _ in items], np.int64)
    ends = np.array([at + length for at, length in items], np.int64)
    if len(items) > count:
        last = np.array(
            [
                _END_OF_IMAGE in file.read(max(at, at + length - 3), min(length, 3))
                for at, length in items
            ]
        )
        starts = starts[np.append(True, last[:-1])]
        ends = ends[last]
    return np.stack([starts, ends], axis=1)


def _few(items: Iterator[tuple[int, int]], most: int) -> Iterator[tuple[int, int]]:
    for number, item in enumerate(items):
        if number >= most:
            raise ValueError(f"its frames are in more than {most} pieces")
        yield item


def _items(file: BytesOf, start: int, end: int | None = None) -> Iterator[tuple[int, int]]:
    # position and length of the content of each item, up to `end` or the delimiter
    while end is None or start < end:
        group, element, length = struct.unpack("<HHI", file.read(start, _HEAD))
        if (group, element) == _DELIMITER:
            return
        if (group, element) != _ITEM:
            raise ValueError(f"no item at {start}")
        yield start + _HEAD, length
        start += _HEAD + length
