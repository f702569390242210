"""What a missing file may be called instead: other systems spell and capitalise names otherwise."""

import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import final


@final
class Spellings:
    """The names in the folders that were asked about, each folder read once."""

    def __init__(self) -> None:
        self._folders: dict[Path, Mapping[str, Path]] = {}

    def other(self, path: Path) -> Path | None:
        """A file beside the path whose name differs in capitals or composed letters alone.

        Windows and macOS take such names for one, Linux does not.
        """
        if path.parent not in self._folders:
            self._folders[path.parent] = _names(path.parent)
        return self._folders[path.parent].get(_folded(path.name))


def _names(folder: Path) -> Mapping[str, Path]:
    try:
        return {_folded(path.name): path for path in folder.iterdir()}
    except OSError:
        return {}


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
