"""What a path of kind `ct` stands for: its files, and `folder#4` for one series of several."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from wholecase.core.errors import SourceError
from wholecase.core.regular import is_folder, is_there, refuse_irregular

SERIES = re.compile(r"(?P<place>.+)#(?P<series>[0-9][0-9.]{0,63})", re.DOTALL)
PICTURES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
NIFTI = (".nii", ".nii.gz")
MOST_FILES = 20_000
"""Of a folder or zip; a study of a thousand slices in five series has 5,000."""
MOST_MEMBER_BYTES = 2**31
"""Of one file within a zip, unpacked."""
_NOT_IMAGES = ("DICOMDIR", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Place:
    """Where a file lies: on disk, or within a zip."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """What its names are sorted and judged by."""
        return self.path.name if self.member is None else self.member.rpartition("/")[2]

    @contextmanager
    def open(self, packed: zipfile.ZipFile | None = None) -> Iterator[BufferedReader | BytesIO]:
        """The file, to be read from its beginning.

        Args:
            packed: the zip, where it is open already: opening one reads the names of all its files.

        Raises:
            SourceError: a file in a zip claims more than can be held.
            OSError: it cannot be read.
            zipfile.BadZipFile: it was packed in other words than it says.
        """
        if self.member is None:
            with self.path.open("rb") as file:
                yield file
            return
        with nullcontext(packed) if packed else zipfile.ZipFile(self.path) as archive:
            claimed = archive.getinfo(self.member).file_size
            if claimed > MOST_MEMBER_BYTES:
                raise SourceError(
                    f"{self.path}: a file in it claims {claimed / 2**30:.1f} GiB; unpack the zip"
                )
            with archive.open(self.member) as file:
                yield BytesIO(file.read(claimed))


def split_series(path: Path) -> tuple[Path, str] | None:
    """The place and the series that a path such as `study#4` names; None for any other path.

    A series is named by its number or by its instance UID.

    >>> split_series(Path("study#4"))[1], split_series(Path("study")), split_series(Path("a#b"))
    ('4', None, None)
    """
    found = SERIES.fullmatch(str(path))
    return (Path(found["place"]), found["series"]) if found and not is_there(path) else None


def is_nifti(path: Path) -> bool:
    """Whether the name is that of a NIfTI volume."""
    return path.name.lower().endswith(NIFTI)


def is_pictures(path: Path) -> bool:
    """Whether the path is a picture, or a folder of nothing but pictures, going by their names.

    They know no Hounsfield units: their window is baked in.
    """
    if not is_folder(path):
        return path.name.lower().endswith(PICTURES)
    names = [file.name.lower() for file in path.iterdir() if not _is_beside(file.name)]
    return bool(names) and all(name.endswith(PICTURES) for name in names)


def series_members(path: Path) -> tuple[Path, ...]:
    """All files on disk that a series is chosen from, by name.

    Raises:
        SourceError: there are none, or too many.
        OSError: the folder cannot be read.
    """
    place = (split_series(path) or (path, ""))[0]
    if not is_folder(place):
        refuse_irregular(place, SourceError)
        return (place,)
    found = []
    for file in place.rglob("*"):
        if file.is_file() and not _is_beside(file.name):
            found.append(file)
        if len(found) > MOST_FILES:
            raise SourceError(
                f"{place}: more than {MOST_FILES:,} files; give the folder of one patient"
            )
    if not found:
        raise SourceError(f"{place}: a folder, not an image, and empty; give that of a series")
    return tuple(sorted(found))


def places_of(path: Path) -> list[Place]:
    """Every file of a folder, or of a zip; the file itself where it is one.

    Raises:
        SourceError: there are none, or too many; a zip is damaged.
    """
    if not zipfile.is_zipfile(path):
        return [Place(file) for file in series_members(path)]
    with zipfile.ZipFile(path) as packed:
        names = [one.filename for one in packed.infolist() if not one.is_dir()]
    kept = sorted(name for name in names if not _is_beside(name.rpartition("/")[2]))
    if not 0 < len(kept) <= MOST_FILES:
        raise SourceError(
            f"{path}: a zip of {len(kept):,} files; pack the series of one patient into one"
        )
    return [Place(path, name) for name in kept]


def _is_beside(name: str) -> bool:
    return name.startswith(".") or name in _NOT_IMAGES
