"""What libjpeg complains of while it reads on past damage: a JPEG has no checksum."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8

MARK = b"\xff\xd8\xff"
COMPLAINT = "Corrupt JPEG data"
LEFT_OVER = "extraneous bytes"
"""Of bytes that nothing asks for; some cameras leave them, and so does damage."""
EARLY_END = "Premature end of JPEG file"
"""Of data that is missing, and of a mere missing mark of the end."""
END = b"\xff\xd9"


def complaint_of(content: bytes) -> str:
    """The complaint about a JPEG's data; empty where there is none, or it is no JPEG.

    It is decoded at an eighth of its size for that. Where nothing but the mark of the end is
    missing, there is no complaint.
    """
    if not content.startswith(MARK):
        return ""
    try:
        strictly_decoded(content, colorspace="GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        return str(error) if is_complaint(str(error)) else ""
    return ""


def strictly_decoded(content: bytes, **how: Any) -> UInt8[np.ndarray, "H W C"]:  # noqa: ANN401 (options of a library)
    """The pixels of a JPEG; what libjpeg warns of is raised, as no other reader does.

    A missing mark of the end alone is nothing to warn of.

    Args:
        content: of the file.
        how: options of simplejpeg.

    Raises:
        ValueError: it cannot be decoded, or not without a warning.
    """
    import simplejpeg

    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(content, **how)
    except ValueError as error:
        if not str(error).startswith(EARLY_END):
            raise
        try:
            pixels = simplejpeg.decode_jpeg(content + END, **how)
        except ValueError:
            raise error from None
    return pixels


def is_complaint(told: str) -> bool:
    """Whether an error is about data that is damaged or missing, not about what JPEG this is."""
    return told.startswith((COMPLAINT, EARLY_END))


def shared_of(tables: bytes | None) -> bytes:
    """What the tiles of a TIFF share, to be put behind the mark of a tile's beginning."""
    return tables[2:-2] if tables else b""


def guessed(content: bytes) -> str:
    """The complaint, where the decoder made up what lies behind the damage; else empty."""
    complaint = complaint_of(content)
    return "" if is_left_over(complaint, len(content)) else complaint


def is_left_over(complaint: str, length: int) -> bool:
    """Whether it is about a few bytes that nothing asks for, up to a hundredth of the data.

    More of them are the rest of a picture that was overwritten: zeros are read as grey.
    """
    told = re.search(rf"(\d+) {LEFT_OVER}", complaint)
    return told is not None and int(told[1]) * 100 <= length


def jpeg_of(path: Path) -> bytes:
    """The content of a JPEG file; empty where it is none."""
    with path.open("rb") as file:
        first = file.read(len(MARK))
        return first + file.read() if first == MARK else b""
