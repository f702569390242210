"""The small grey pictures by which images are compared, kept once they were made."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wholecase.audit.indexed import indexed_sights
from wholecase.audit.look import MOST_COMPARED, small_of
from wholecase.audit.sight import SMALL_PX
from wholecase.cohort import Image
from wholecase.core.digest import digest
from wholecase.core.errors import SourceError
from wholecase.core.files import atomic
from wholecase.core.progress import progress
from wholecase.execution import parallel_map
from wholecase.sources import open_source

VERSION = 1
"""Of how a thumbnail is made."""
SIDE = SMALL_PX * SMALL_PX


def thumbnails(
    images: Sequence[Image], contents: Sequence[str], keep: Path, workers: int
) -> list[bytes | None]:
    """A thumbnail of each image; None of series, of feature files and of what cannot be read.

    Args:
        images: to look at.
        contents: the digest of each; what was made of the same contents before is read again.
        keep: folder of what was made.
        workers: processes that open images.
    """
    file = keep / f"thumbnails-{digest(version=VERSION, contents=list(contents))}.npy"
    kept = _read(file, len(images))
    if kept is None:
        kept = _made(images, workers)
        with contextlib.suppress(OSError), atomic(file) as part, part.open("wb") as out:
            np.save(out, kept)
    return [row[1:].tobytes() if row[0] else None for row in kept]


def _read(file: Path, count: int) -> UInt8[np.ndarray, "M P"] | None:
    """What was kept; None where nothing was, or it is damaged."""
    try:
        kept = np.load(file, allow_pickle=False)
    except (OSError, ValueError):
        return None
    fits = kept.dtype == np.uint8 and kept.shape == (count, 1 + SIDE)
    return kept if fits else None


def _made(images: Sequence[Image], workers: int) -> UInt8[np.ndarray, "M P"]:
    """A row each: whether there is one, then its pixels."""
    rows = np.zeros((len(images), 1 + SIDE), np.uint8)
    if len(images) > MOST_COMPARED:
        return rows
    with progress("comparing", len(images), "images") as advance:
        sights = indexed_sights(images, compare=True, workers=workers, advance=advance)
        found = {number: sight.small for number, sight in sights.items()}
        rest = ((i, image) for i, image in enumerate(images) if i not in sights)
        for done in parallel_map(_small, rest, workers=workers):
            found[done.item[0]] = done.result
            advance()
    for number, small in found.items():
        if small is not None:
            rows[number, 0] = 1
            rows[number, 1:] = np.frombuffer(small, np.uint8)
    return rows


def _small(item: tuple[int, Image]) -> bytes | None:
    image = item[1]
    if image.kind in {"features", "ct"}:
        return None
    try:
        with open_source(image.path, image.kind, image.mpp, image.window) as source:
            return small_of(source)
    except SourceError:
        return None
