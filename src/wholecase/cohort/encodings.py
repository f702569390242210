"""What text a table is written in: UTF-8 or UTF-16 are read, others are refused by name."""

import codecs
from pathlib import Path

from wholecase.core.errors import ManifestError

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF_32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
CURE = "save it as CSV in UTF-8, which Excel calls 'CSV UTF-8'"
EXCERPT = 40
"""Characters of a line that are shown."""


def encoding_of(path: Path) -> str:
    """UTF-16 where the file begins with its mark, as Excel's Unicode text does; else UTF-8.

    Raises:
        ManifestError: the file is in wide letters without that mark.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(UTF_32) or (b"\0" in start and not start.startswith(UTF_16)):
        raise ManifestError(
            f"{path}, line 1: not UTF-8 text but of two or four bytes a letter, without the mark "
            f"of UTF-16; {CURE}"
        )
    return "utf-16" if start.startswith(UTF_16) else "utf-8-sig"


def refused(path: Path, encoding: str) -> ManifestError:
    """What is wrong with a file that could not be read in the encoding it seemed to have."""
    if encoding == "utf-16":
        return ManifestError(f"{path}: it begins as UTF-16 text and does not go on so; {CURE}")
    number, line, at = _undecodable(path)
    return ManifestError(
        f"{path}, line {number}: not UTF-8 text but {_older(line, at)}, in which letters with "
        f"accents mean one thing here and another there; {CURE}"
    )


def _undecodable(path: Path) -> tuple[int, bytes, int]:
    """The first line that is no UTF-8: its number, itself, and the byte that is not."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return number, line, error.start
    return 1, b"", 0


def _older(line: bytes, at: int) -> str:
    """What the line would read as, where it can be Windows-1252."""
    beginning = max(line.rfind(sign, 0, at) for sign in (b",", b";", b"\t", b"\n")) + 1
    try:
        text = line[beginning : at + EXCERPT].decode("cp1252")
    except UnicodeDecodeError:
        return "an older encoding"
    cell = text.strip().replace(";", ",").replace("\t", ",").partition(",")[0].strip('"')
    return f"perhaps Windows-1252, as Excel's plain CSV ({cell[:EXCERPT]!r})"
