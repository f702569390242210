"""Names for what the pictures of an HDF5 file show, so that two equal ones are found."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from wholecase.core.errors import SourceError
from wholecase.core.picture_digests import picture_digests
from wholecase.sources.indexed import BLOCK, IndexedImages, split_index


def fingerprints_of(path: Path, rows: Int64[np.ndarray, " n"]) -> list[str]:
    """What `fingerprint` gives for each of these pictures of one file; blocks are read in turn.

    Raises:
        SourceError: the file or a row is not there, or cannot be read.
    """
    with IndexedImages(path) as images:
        return [name for _, names in _named(images, rows) for name in names]


def indexed_digests(
    paths: Iterable[Path], advance: Callable[[int], None] = lambda _: None
) -> dict[Path, str]:
    """The digests of all paths such as `file.h5#17` among these; what cannot be read is left out.

    Each file is opened once and read in its own order; `advance` hears of every block.
    """
    places: dict[Path, list[tuple[int, Path]]] = defaultdict(list)
    for path in paths:
        if (place := split_index(path)) is not None:
            places[place[0]].append((place[1], path))
    digests: dict[Path, str] = {}
    for file, wanted in places.items():
        wanted.sort(key=lambda one: one[0])
        try:
            with IndexedImages(file) as images:
                known = [(row, path) for row, path in wanted if row < len(images)]
                rows = np.array([row for row, _ in known], np.int64)
                for start, names in _named(images, rows):
                    here = known[start : start + len(names)]
                    digests |= zip((path for _, path in here), names, strict=True)
                    advance(len(names))
        except SourceError:
            continue  # `check` and the run say why
    return digests


def _named(images: IndexedImages, rows: Int64[np.ndarray, " n"]) -> Iterator[tuple[int, list[str]]]:
    for start in range(0, len(rows), BLOCK):
        yield start, picture_digests(images.read(rows[start : start + BLOCK]))
