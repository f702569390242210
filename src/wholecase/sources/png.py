"""The checksums that a PNG stores beside its pixels; Pillow passes them over."""

import os
import struct
import zlib
from pathlib import Path
from typing import IO

from wholecase.core.errors import SourceError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
PIXELS = b"IDAT"
BLOCK = 2**20


def refuse_damaged_png(path: Path) -> None:
    """Pass a file that is no PNG, or whose pixels have the checksums that are stored with them.

    One that ends early passes as well: whoever decodes it says so.

    Raises:
        SourceError: they have others.
    """
    with path.open("rb") as file:
        if file.read(len(SIGNATURE)) != SIGNATURE:
            return
        while len(head := file.read(8)) == 8:
            length, name = struct.unpack(">I4s", head)
            if name != PIXELS:  # Pillow looks at the others
                file.seek(length + 4, os.SEEK_CUR)
            elif not _is_whole(file, length):
                raise SourceError(
                    f"{path}: damaged: its pixels do not have the checksum that is stored with "
                    "them; fetch the file again"
                )


def _is_whole(file: IO[bytes], length: int) -> bool:
    running = zlib.crc32(PIXELS)
    while length and (part := file.read(min(length, BLOCK))):
        running, length = zlib.crc32(part, running), length - len(part)
    stored = file.read(4)
    return length > 0 or len(stored) < 4 or running == int.from_bytes(stored, "big")
