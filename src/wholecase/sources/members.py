"""A slide's files, and one name for their contents together."""

from pathlib import Path

from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import SourceError
from wholecase.core.picture_digests import picture_digests
from wholecase.core.regular import is_folder, refuse_irregular
from wholecase.sources.ct.series_name import series_members, split_series
from wholecase.sources.frames import split_page
from wholecase.sources.indexed import read_one, split_index
from wholecase.sources.marks import is_dicom

_INDEXES = (".vms", ".vmu")
"""Hamamatsu's text files that name the pictures beside them."""


def members(path: Path) -> tuple[Path, ...]:
    """All files of the slide that a path stands for, the path itself first unless it is a folder.

    A MIRAX index brings its folder, a Hamamatsu index the pictures that it names, a DICOM file or
    folder the instances of its series, `file.h5#17` and `stack.tif#2` the file; any other file is
    alone. A folder without a slide brings all its files: a series is chosen among them.

    Raises:
        SourceError: a folder with several DICOM slides, or without a file; no file at all.
        OSError: something cannot be read.
    """
    path = (split_series(path) or (path,))[0]
    if (place := split_index(path) or split_page(path)) is not None:
        return (place[0],)
    suffix = path.suffix.lower()
    if is_folder(path):
        return _series_files(path)
    refuse_irregular(path, SourceError)
    if suffix == ".mrxs":
        return path, *sorted(p for p in path.with_suffix("").rglob("*") if p.is_file())
    if suffix in _INDEXES:
        text = path.read_text(encoding="utf-8", errors="replace")
        values = {line.partition("=")[2].strip() for line in text.splitlines()}
        return path, *sorted(p for p in path.parent.iterdir() if p.name in values and p != path)
    if is_dicom(path):
        return path, *(p for p in _series_files(path) if p != path)
    return (path,)


def _series_files(path: Path) -> tuple[Path, ...]:
    from wholecase.sources.dicom_series import slide_files, without_slide

    return series_members(path) if without_slide(path) else slide_files(path)


def fingerprint(path: Path) -> str:
    """Twenty hexadecimal digits that stand for the content of a whole slide, all its files.

    That of a slide of one file is its `core.digest.file_digest`, whatever the file is called. The
    files of a larger one count with their names; which of them is named makes no difference to a
    DICOM slide. One picture of a file, `file.h5#17` or `stack.tif#2`, is known by its pixels, not
    by its place.

    Raises:
        SourceError: a folder without a DICOM slide, or with several; no file at all.
        OSError: something cannot be read.
    """
    if split_index(path) is not None:
        return picture_digests(read_one(path)[None])[0]
    if split_page(path) is not None:
        from wholecase.sources.plain import decode

        return picture_digests(decode(path)[0][None])[0]
    files, series = members(path), split_series(path)
    if len(files) == 1 and series is None:
        return file_digest(files[0])
    place = series[0] if series else path
    folder = place if place.is_dir() else place.parent
    digests = {file.relative_to(folder).as_posix(): file_digest(file) for file in files}
    return digest(files=digests, series=series[1]) if series else digest(files=digests)
