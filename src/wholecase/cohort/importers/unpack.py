"""Published files come packed; rows of a packed file cannot be reached."""

import gzip
import zlib
from pathlib import Path

from wholecase.core.errors import ManifestError
from wholecase.core.files import atomic
from wholecase.core.progress import progress

BLOCK = 4 * 2**20
"""Bytes that are unpacked at a time."""


def unpacked(path: Path) -> bool:
    """Make sure that a file stands beside its packed form `path.gz`; True where it was made now.

    The packed file stays. Memory holds one block.

    Raises:
        ManifestError: the packed file is damaged, or the disk is full.
    """
    packed = path.with_name(f"{path.name}.gz")
    if path.exists() or not packed.is_file():
        return False
    total = packed.stat().st_size
    try:
        with (
            packed.open("rb") as raw,
            gzip.open(raw) as source,
            atomic(path) as neighbour,
            neighbour.open("wb") as target,
            progress(f"unpack {packed.name}", total, "bytes") as advance,
        ):
            done = 0
            while block := source.read(BLOCK):
                target.write(block)
                advance(raw.tell() - done)
                done = raw.tell()
    except (OSError, EOFError, zlib.error) as error:
        raise ManifestError(
            f"{packed} cannot be unpacked beside itself ({error}); fetch it again, or unpack it "
            "where there is room"
        ) from error
    return True
