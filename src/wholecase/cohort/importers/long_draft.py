"""A manifest of hundreds of thousands of rows, written as they are made."""

import csv
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from wholecase.core.errors import ManifestError
from wholecase.core.files import atomic

Line = tuple[str, ...]


@dataclass(frozen=True)
class LongDraft:
    """What a folder was read as; its rows are made while they are written."""

    root: Path
    columns: Line
    lines: Callable[[str], Iterator[Line]]
    """The rows, given what leads from the manifest to the root: empty, or ending with a slash."""
    left_out: tuple[str, ...] = ()
    """One sentence for each thing that was seen and not taken."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that was understood and may surprise."""


def write_long_manifest(draft: LongDraft, path: Path) -> Path:
    """Write the rows with paths relative to the manifest and slashes, and return its path.

    Raises:
        ManifestError: the file is there already.
    """
    if path.exists():
        raise ManifestError(f"{path} is there already; give another --out or move it away")
    with atomic(path) as neighbour, neighbour.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(draft.columns)
        writer.writerows(draft.lines(_way(draft.root, path.parent)))
    return path


def _way(root: Path, folder: Path) -> str:
    try:
        way = Path(os.path.relpath(root, folder)).as_posix()
    except ValueError:  # another drive of Windows has no relative path
        way = root.absolute().as_posix()
    return "" if way == "." else f"{way}/"
