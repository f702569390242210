"""A manifest before it is written: its rows, and the files that found no place in it."""

import csv
import io
import os
from dataclasses import dataclass, fields
from pathlib import Path

from wholecase.core.errors import ManifestError
from wholecase.core.files import write_text


@dataclass(frozen=True)
class DraftRow:
    """One image on its way into a manifest."""

    case_id: str
    patient_id: str
    path: Path
    kind: str
    label: str | None = None
    split: str | None = None
    site: str | None = None
    train_only: bool = False
    magnification: str | None = None
    tumor_type: str | None = None


@dataclass(frozen=True)
class Draft:
    """What a folder was read as."""

    rows: tuple[DraftRow, ...]
    left_out: tuple[str, ...] = ()
    """One sentence for each thing that was seen and not taken."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that was understood and may surprise."""


def write_manifest(draft: Draft, path: Path) -> Path:
    """Write the rows with paths relative to the manifest and slashes, and return its path.

    Columns of which no row has a value are left out. The images stay where they are; folder and
    manifest can move together, to another system too.

    Raises:
        ManifestError: the file is there already.
    """
    if path.exists():
        raise ManifestError(f"{path} is there already; give another --out or move it away")
    records = [_record(row, path.parent) for row in draft.rows]
    columns = [f.name for f in fields(DraftRow) if any(record[f.name] for record in records)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    write_text(path, text.getvalue())
    return path


def _record(row: DraftRow, folder: Path) -> dict[str, str]:
    cells = {f.name: getattr(row, f.name) for f in fields(row)}
    cells |= {"path": _relative(row.path, folder), "train_only": "true" if row.train_only else ""}
    return {name: value or "" for name, value in cells.items()}


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive of Windows has no relative path
        return path.absolute().as_posix()
