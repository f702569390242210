"""Which file a table means: by as much of the path as it gives, and never two at once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.identity import identity_key

COMPOUND = (".ome.tif", ".ome.tiff")
"""Endings of two parts; no other name ends before its last dot."""

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A file below a folder, and the names by which a table may call it."""

    path: Path
    root: Path
    also: Parts = ()
    """Names that stand for it alone, without a folder."""

    @property
    def below(self) -> Parts:
        """The folders and names from the root down."""
        return _keys(self.path.relative_to(self.root).parts)

    @property
    def whole(self) -> Parts:
        """The same from the top of the disk."""
        return _keys(self.path.absolute().parts)

    @property
    def names(self) -> Parts:
        """What the last part may be: with its ending, without, or another name."""
        name = self.path.name
        short = next((name[: -len(end)] for end in COMPOUND if name.lower().endswith(end)), "")
        found = (name, self.path.stem, short, *self.also)
        return tuple(dict.fromkeys(identity_key(name) for name in found if name))


class Places:
    """The files of a folder by name."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._by_name: dict[str, list[Place]] = defaultdict(list)
        for place in places:
            for name in place.names:
                self._by_name[name].append(place)

    def meant(self, text: str) -> list[Place]:
        """The files that a cell fits: all that it says of the path is so.

        It may begin above the folder or below it. One that begins elsewhere still fits a file
        whose whole path below the folder it ends with.
        """
        *folders, name = _keys(text.replace("\\", "/").split("/"))
        found = self._by_name.get(name, [])
        return [place for place in found if _fits(place, tuple(f for f in folders if f))]


def _fits(place: Place, folders: Parts) -> bool:
    """Whether one of both paths, without the file's name, ends with the other."""
    whole, below = place.whole[:-1], place.below[:-1]
    if not folders:
        return True
    return whole[-len(folders) :] == folders or (
        len(below) < len(folders) and folders[len(folders) - len(below) :] == below
    )


def distinct_names(paths: Sequence[Path], root: Path) -> list[str]:
    """The shortest names that tell files apart: without folders and ending, with one, with both.

    >>> distinct_names([Path("r/a/1.tif"), Path("r/b/1.tif")], Path("r"))
    ['a/1', 'b/1']
    """
    below = [path.relative_to(root) for path in paths]
    stems = [path.stem for path in paths]
    for names in (stems, [path.with_suffix("").as_posix() for path in below]):
        if len({identity_key(name).casefold() for name in names}) == len(names):
            return names
    return [path.as_posix() for path in below]


def _keys(parts: Iterable[str]) -> Parts:
    return tuple(identity_key(part) for part in parts if part not in {"", "."})
