"""Pictures of HDF5 files are looked at file by file: opening each alone would take hours."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from wholecase.audit.sight import SMALL_PX, Sight, sight_of_failure
from wholecase.cohort import Image
from wholecase.core.errors import SourceError
from wholecase.core.picture_digests import picture_digests
from wholecase.core.progress import Advance
from wholecase.execution import parallel_map
from wholecase.sources import IndexedImages, split_index, split_page

TOGETHER = 4096
"""Pictures that one worker looks at before it reports."""
AT_ONCE = 256
"""Pictures in memory."""


@dataclass(frozen=True)
class _Part:
    """Some pictures of one file."""

    file: Path
    rows: tuple[int, ...]
    numbers: tuple[int, ...]
    """Where they stand among all images."""
    spacings: tuple[float | None, ...]
    compare: bool


def file_of(path: Path) -> Path:
    """The file that holds an image: of `file.h5#17`, `file.h5`."""
    place = split_index(path) or split_page(path)
    return place[0] if place else path


def indexed_sights(
    images: Sequence[Image], *, compare: bool, workers: int, advance: Advance | None
) -> dict[int, Sight]:
    """The sights of those of the images that lie in HDF5 files, by their place in the sequence.

    Every pixel is read once. `compare` asks for thumbnails too.
    """
    sights: dict[int, Sight] = {}
    for done in parallel_map(_look, _parts(images, compare=compare), workers=workers):
        part = done.item
        broken = sight_of_failure(part.file, done.error)
        sights |= zip(part.numbers, done.result or [broken] * len(part.rows), strict=True)
        if advance is not None:
            advance(len(part.rows))
    return sights


def _parts(images: Sequence[Image], *, compare: bool) -> Iterator[_Part]:
    files: dict[Path, list[tuple[int, int]]] = defaultdict(list)
    for number, image in enumerate(images):
        # with a window they are refused, as anything of 8 bits is, where they are opened alone
        alone = image.kind == "slide" or image.window is not None
        if (place := split_index(image.path)) is not None and not alone:
            files[place[0]].append((place[1], number))
    for file, places in files.items():
        places.sort()
        for start in range(0, len(places), TOGETHER):
            rows, numbers = zip(*places[start : start + TOGETHER], strict=True)
            yield _Part(file, rows, numbers, tuple(images[n].mpp for n in numbers), compare)


def _look(part: _Part) -> list[Sight]:
    try:
        with IndexedImages(part.file) as images:
            return [
                sight
                for start in range(0, len(part.rows), AT_ONCE)
                for sight in _sights(images, part, slice(start, start + AT_ONCE))
            ]
    except SourceError as error:
        return [Sight(trouble=str(error))] * len(part.rows)


def _sights(images: IndexedImages, part: _Part, here: slice) -> list[Sight]:
    rows, spacings = part.rows[here], part.spacings[here]
    try:
        pixels = images.read(np.array(rows))
    except SourceError as error:
        if len(rows) == 1:
            return [Sight(trouble=str(error))]
        places = range(*here.indices(len(part.rows)))
        return [sight for i in places for sight in _sights(images, part, slice(i, i + 1))]
    return [
        Sight(
            spacing_um=um,
            rung="a plain image tells no spacing" if um is None else "manifest",
            size_px=images.size_px,
            small=_small(picture) if part.compare else None,
            content=content,
        )
        for um, picture, content in zip(spacings, pixels, picture_digests(pixels), strict=True)
    ]


def _small(picture: np.ndarray) -> bytes:
    small = cv2.resize(picture, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).tobytes()
