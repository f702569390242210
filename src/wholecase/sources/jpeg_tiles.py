"""Tiles of a TIFF that are colour JPEG: put together with what its tiles share, and held to it."""

import numpy as np
import simplejpeg
from jaxtyping import UInt8

from wholecase.sources.jpeg import COMPLAINT, LEFT_OVER

_FRAMES = (0xC0, 0xC1, 0xC2)
"""Markers of what tells the size of a picture: baseline, extended, progressive."""
_COLOURS = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"
"""Adobe's marker, up to its last byte: 0 for RGB, 1 for YCbCr."""


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
    shared = tables[2:-2] if tables else b""
    colours = _COLOURS + (b"\x00" if rgb else b"\x01")
    try:
        # strict: what libjpeg warns of is raised
        pixels: np.ndarray = simplejpeg.decode_jpeg(
            b"".join((data[:2], shared, data[2:at], colours, data[at:]))
        )
    except ValueError as error:
        if str(error).startswith(COMPLAINT) and LEFT_OVER not in str(error):
            raise
        return None
    return pixels


def _frame(data: bytes) -> int | None:
    """Where the header of the picture lies; None where there is none in its place."""
    at = 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        if data[at + 1] in _FRAMES:
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _size_px(data: bytes, at: int) -> tuple[int, int] | None:
    """Width and height of a picture of three colours of 8 bits."""
    if data[at + 4 : at + 5] != b"\x08" or data[at + 9 : at + 10] != b"\x03":
        return None
    return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(
        data[at + 5 : at + 7], "big"
    )
