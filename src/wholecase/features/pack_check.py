"""Is a pack whole: every byte of its index and of its pixels."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from wholecase.core.errors import StoreError
from wholecase.core.picture_digests import picture_digests
from wholecase.features.packs import ROWS, read_index
from wholecase.features.pixels import content_digest
from wholecase.features.rows import Rows

BLOCK = 64
"""Instances in memory."""


def check_pack(path: Path, settings: str) -> None:
    """Read a pack by the path of its index; `settings` is the digest of its store.

    Raises:
        StoreError: something of it is damaged or missing, or was made with other settings.
    """
    index, shape = read_index(path, settings)
    with Rows(path.with_suffix(ROWS)) as rows:
        if rows.shape != shape:
            raise StoreError(f"{rows.path} is not of the shape {shape}; delete it and run again")
        blocks = (
            np.arange(start, min(start + BLOCK, len(rows))) for start in range(0, len(rows), BLOCK)
        )
        names = [name for block in blocks for name in picture_digests(rows.read(block))]
    there = [content_digest(names[begin:end]) for begin, end in pairwise(index.starts.tolist())]
    if there != list(index.contents):
        raise StoreError(f"{path.with_suffix(ROWS)} is damaged; delete it and run again")
