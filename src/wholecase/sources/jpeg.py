"""What libjpeg complains of while it reads on past damage: a JPEG has no checksum."""

from pathlib import Path

MARK = b"\xff\xd8\xff"
COMPLAINT = "Corrupt JPEG data"
LEFT_OVER = "extraneous bytes"
"""Of bytes that nothing asks for; some cameras leave them, and so does damage."""


def complaint_of(content: bytes) -> str:
    """The complaint about a JPEG's data; empty where there is none, or it is no JPEG.

    It is decoded at an eighth of its size for that.
    """
    import simplejpeg

    if not content.startswith(MARK):
        return ""
    try:
        # strict, as no other reader is: what libjpeg warns of is raised
        simplejpeg.decode_jpeg(content, "GRAY", min_height=1, min_width=1, min_factor=8)
    except ValueError as error:
        return str(error) if str(error).startswith(COMPLAINT) else ""
    return ""


def guessed(content: bytes) -> str:
    """The complaint, where the decoder made up what lies behind the damage; else empty."""
    complaint = complaint_of(content)
    return "" if LEFT_OVER in complaint else complaint


def jpeg_of(path: Path) -> bytes:
    """The content of a JPEG file; empty where it is none."""
    with path.open("rb") as file:
        first = file.read(len(MARK))
        return first + file.read() if first == MARK else b""
