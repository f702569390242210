"""What a file's name tells of whose it is, where names follow a rule that is known."""

import re
from pathlib import Path

from wholecase.audit.indexed import file_of

TCGA = re.compile(r"^(TCGA-[A-Z0-9]{2}-[A-Z0-9]{4})(?![A-Z0-9])", re.IGNORECASE)
"""The participant in a barcode of The Cancer Genome Atlas."""
PLACED = re.compile(
    r"^(?P<slide>.*[A-Za-z].*?)[ _.-]+\(?[xX]?=?(?P<x>\d{2,})[ ,_.-]+[yY]?=?(?P<y>\d{2,})\)?$"
)
"""A tile that is called by its slide and by where it lies on it."""


def origin_of(path: Path) -> str | None:
    """Patient or slide that the name tells; None where it follows no known rule.

    >>> origin_of(Path("TCGA-A1-A0SB-01Z-00-DX1.svs")), origin_of(Path("s12_x2048_y512.png"))
    ('TCGA-A1-A0SB', 's12')
    >>> origin_of(Path("image_0012.png")), origin_of(Path("2024_01_12.png"))
    (None, None)
    """
    if file_of(path) != path:
        return None
    if found := TCGA.match(path.name):
        return found[1].upper()
    found = PLACED.match(path.stem)
    return None if found is None else found["slide"]
