"""Tiles of a TIFF that are colour JPEG: put together with what its tiles share, and held to it."""

import struct

import numpy as np
from jaxtyping import UInt8

from wholecase.sources.jpeg import is_complaint, is_left_over, shared_of, strictly_decoded

_HEAD = struct.Struct(">4xBHHB")
"""Of a picture: marker and length, then bits, height, width, colours."""
_FRAMES = (0xC0, 0xC1, 0xC2)
"""Markers of what tells the size of a picture: baseline, extended, progressive."""
_ADOBE = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
_RGB, _YCBCR = _ADOBE + b"\x00", _ADOBE + b"\x01"
"""Adobe's marker; its last byte tells the colours."""


def colour_tile(
    data: bytes, tables: bytes | None, size_px: tuple[int, int], *, rgb: bool
) -> UInt8[np.ndarray, "h w 3"] | None:
    """The pixels of a stored tile of that width and height; None where it is no such JPEG.

    Args:
        data: as the file stores it.
        tables: what the tiles share, as the file stores it.
        size_px: of the tile.
        rgb: it holds RGB; else YCbCr, whatever the JPEG itself says.

    Raises:
        ValueError: its data is corrupt, and what lies behind the damage would be made up.
    """
    at = _frame(data)
    if at is None or _size_px(data, at) != size_px or (rgb and b"JFIF" in data[:at]):
        return None
    adobe = _RGB if rgb else _YCBCR
    whole = b"".join((data[:2], shared_of(tables), data[2:at], adobe, memoryview(data)[at:]))
    try:
        return strictly_decoded(whole)
    except ValueError as error:
        if is_complaint(str(error)) and not is_left_over(str(error), len(whole)):
            raise
        return None


def _frame(data: bytes) -> int | None:
    """Where the header of the picture lies; None where there is none in its place."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES:
            return at
        at += 2 + data[at + 2] * 256 + data[at + 3]
    return None


def _size_px(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height of a picture of three colours of 8 bits."""
    if len(data) < at + _HEAD.size:
        return None
    bits, height, width, colours = _HEAD.unpack_from(data, at)
    return (width, height) if (bits, colours) == (8, 3) else None
