"""Which files of a folder are one DICOM slide: those of one series."""

import functools
from pathlib import Path
from typing import Any

from pydicom.filereader import read_partial
from pydicom.tag import Tag
from pydicom.uid import VLWholeSlideMicroscopyImageStorage

from wholecase.core.errors import SourceError
from wholecase.sources.marks import is_dicom

_SOP_CLASS, _SERIES = Tag("SOPClassUID"), Tag("SeriesInstanceUID")


def slide_files(path: Path) -> tuple[Path, ...]:
    """The files of the slide that a file or a folder stands for, by name.

    Of each neighbour only what stands before the series' number is read.

    Raises:
        SourceError: a folder that holds no DICOM slide, or several.
        OSError: the folder cannot be read.
    """
    if not path.is_dir():
        own = _series(path)
        return _by_series(path.parent).get(own, (path,)) if own else (path,)
    slides = _by_series(path)
    if not slides:
        raise SourceError(
            f"{path}: a folder, not an image, and without a slide in DICOM; give the path of the "
            f"file itself"
        )
    if len(slides) > 1:
        raise SourceError(
            f"{path}: a folder with {len(slides)} DICOM slides; give the path of one file"
        )
    return next(iter(slides.values()))


def without_slide(path: Path) -> bool:
    """Whether a path is a folder in which no DICOM slide lies."""
    return path.is_dir() and not _by_series(path)


def _by_series(folder: Path) -> dict[str, tuple[Path, ...]]:
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if series := _series(file):
            found.setdefault(series, []).append(file)
    return {series: tuple(files) for series, files in found.items()}


def _series(path: Path) -> str | None:
    if not path.is_file():
        return None
    stamp = path.stat()
    return _read_series(path, stamp.st_size, stamp.st_mtime_ns)


@functools.lru_cache(2**16)  # every slide of a folder looks at all its neighbours
def _read_series(path: Path, _size: int, _changed_ns: int) -> str | None:
    # None: no slide, or damaged before it says so
    try:
        if not is_dicom(path):
            return None
        with path.open("rb") as file:
            header = read_partial(
                file,
                stop_when=lambda tag, _vr, _length: tag > _SERIES,
                specific_tags=[_SOP_CLASS, _SERIES],
            )
        kind, series = (_text(header.get_item(tag)) for tag in (_SOP_CLASS, _SERIES))
    except Exception:  # noqa: BLE001 (a damaged neighbour is no part of the slide)
        return None
    return series if kind == VLWholeSlideMicroscopyImageStorage else None


def _text(element: Any) -> str:  # noqa: ANN401 (raw or converted)
    value = element.value
    return str(value.decode("ascii") if isinstance(value, bytes) else value).rstrip("\0 ")
