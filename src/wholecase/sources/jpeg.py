"""What libjpeg complains of while it reads on past damage: a JPEG has no checksum."""

import re
from pathlib import Path

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
    told = _warning(content)
    if told.startswith(EARLY_END):
        return told if _warning(content + END) else ""
    return told if told.startswith(COMPLAINT) else ""


def _warning(content: bytes) -> str:
    import simplejpeg

    try:
        # strict, as no other reader is: what libjpeg warns of is raised
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        return str(error)
    return ""


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
