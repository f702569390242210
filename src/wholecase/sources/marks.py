"""What the first bytes of a file say that it is."""

from pathlib import Path

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""Both byte orders, up to 4 GB and beyond."""


def is_tiff(path: Path) -> bool:
    """Whether a file has the mark of TIFF.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(4) in _TIFF


def is_dicom(path: Path) -> bool:
    """Whether a file has the mark of DICOM.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"
