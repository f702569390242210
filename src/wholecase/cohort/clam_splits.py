"""The folds of CLAM: `splits_3.csv` with a column of slides for each side, or a folder of them."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from wholecase.cohort.cases import Case, Cohort
from wholecase.cohort.identity import identity_key
from wholecase.cohort.row import Row
from wholecase.cohort.table import open_table
from wholecase.core.errors import SplitError
from wholecase.core.regular import is_folder

SIDES = {"train": "train", "val": "valid", "test": "test"}
"""CLAM's columns, and what they are called here."""
NUMBERED = re.compile(r"splits_(\d+)\.csv")


def is_clam(path: Path) -> bool:
    """Whether these are CLAM's: a folder, or a table with its columns and not ours."""
    if is_folder(path):
        return True
    columns = open_table(path, ()).columns
    return SIDES.keys() <= set(columns) and "case_id" not in columns


def clam_rows(path: Path, cohort: Cohort) -> Iterator[Row]:
    """A row as `splits.csv` has it for each case and fold; a case's slides are one row.

    The number in a file's name is the fold; a file without one is fold 0.

    Raises:
        SplitError: a slide is none of the cohort's or of two cases, or a case is on two sides.
        ManifestError: a file is no table.
    """
    files = _files(path) if is_folder(path) else {path: _number(path) or 0}
    cases = _by_slide(cohort)
    for file, fold in files.items():
        sides: dict[str, str] = {}
        for row, column, slide in _named(file):
            case, side = _case_of(slide, cases, row, column), SIDES[column]
            if case.id not in sides:
                cells = {"case_id": case.id, "patient_id": case.patient, "side": side}
                yield Row(file, row.line, {**cells, "fold": str(fold)})
            if sides.setdefault(case.id, side) != side:
                what = f"case {case.id!r} is on the side {sides[case.id]!r} already; keep one"
                raise SplitError(str(row.error(column, what)))


def _named(file: Path) -> Iterator[tuple[Row, str, str]]:
    """Line, column and slide of each cell that is not empty."""
    for row in open_table(file, tuple(SIDES)).rows:
        for column in SIDES:
            if slide := row.text(column):
                yield row, column, slide


def _files(folder: Path) -> dict[Path, int]:
    """Its numbered files; those of flags and of counts beside them are left aside."""
    found = {file: n for file in folder.iterdir() if (n := _number(file)) is not None}
    if not found:
        raise SplitError(f"{folder}: holds no splits_0.csv and so on; give a table of splits")
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _number(file: Path) -> int | None:
    named = NUMBERED.fullmatch(file.name)
    return int(named[1]) if named else None


def _by_slide(cohort: Cohort) -> dict[str, list[Case]]:
    """The cases by their own names and by those of their images, with and without the ending."""
    found: dict[str, list[Case]] = defaultdict(list)
    for case in cohort.cases:
        paths = [image.path for image in case.images]
        names = {case.id, *(path.name for path in paths), *(path.stem for path in paths)}
        for name in {identity_key(name) for name in names}:
            found[name].append(case)
    return found


def _case_of(slide: str, cases: dict[str, list[Case]], row: Row, column: str) -> Case:
    meant = cases.get(identity_key(slide), [])
    if len(meant) == 1:
        return meant[0]
    what = "the cohort has no case or image of that name; drop it"
    if meant:
        what = f"cases {meant[0].id!r} and {meant[1].id!r} both have an image of that name"
    raise SplitError(str(row.error(column, f"{slide!r}: {what}")))
