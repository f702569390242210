"""`splits.csv`: who was on which side of which fold, to repeat a run or to share its split."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from wholecase.cohort.cases import Case, Cohort
from wholecase.cohort.clam_splits import clam_rows, is_clam
from wholecase.cohort.identity import by_likeness, identity_key, likeness_key
from wholecase.cohort.row import Row
from wholecase.cohort.split import SIDES, Fold, Split, some
from wholecase.cohort.table import read_table
from wholecase.core.digest import digest
from wholecase.core.errors import ManifestError, SplitError
from wholecase.runs import write_rows

COLUMNS = ("case_id", "patient_id", "fold", "side")


def write_splits(path: Path, split: Split) -> None:
    """Write one row per fold and case, whole or not at all."""
    rows = (
        dict(zip(COLUMNS, (case.id, case.patient, fold.number, side), strict=True))
        for fold in split.folds
        for side, cases in fold.sides().items()
        for case in cases
    )
    write_rows(path, COLUMNS, rows)


def read_splits(path: Path, cohort: Cohort) -> Split:
    """The split that a file describes, with the cohort's cases; its protocol is `file`.

    CLAM's files are read too: `splits_3.csv`, or a folder of them.

    Raises:
        SplitError: the file does not fit the cohort; the message names file and line.
    """
    folds = read_sides(path, cohort)
    _refuse_missing(path, cohort, folds)
    try:
        return Split(tuple(_fold(number, sides) for number, sides in folds.items()), "file")
    except SplitError as error:
        raise SplitError(f"{path}: {error}") from error


def read_sides(path: Path, cohort: Cohort) -> dict[int, dict[str, list[Case]]]:
    """Fold -> side -> cases as a file has them, fit to be taught by or not.

    Raises:
        SplitError: the file names what the cohort does not have, or is no table.
    """
    try:
        rows = clam_rows(path, cohort) if is_clam(path) else read_table(path, COLUMNS)
        return _assigned(rows, cohort)
    except ManifestError as error:
        raise SplitError(str(error)) from error


def split_digest(split: Split) -> str:
    """Twenty hexadecimal digits for who is where, whatever the order of folds and cases."""
    return digest(
        splits=sorted(
            [fold.number, side, case.id, case.patient]
            for fold in split.folds
            for side, cases in fold.sides().items()
            for case in cases
        )
    )


_Sides = dict[str, list[Case]]


def _fold(number: int, sides: _Sides) -> Fold:
    return Fold(number, *(tuple(sides[side]) for side in SIDES))


def _assigned(rows: Iterable[Row], cohort: Cohort) -> dict[int, _Sides]:
    """The cases by fold and side, in the order of the file."""
    known = {identity_key(case.id): case for case in cohort.cases}
    ignored = {identity_key(case.id) for case in cohort.ignored}
    folds: dict[int, _Sides] = defaultdict(lambda: {side: [] for side in SIDES})
    lines: dict[tuple[int, str], int] = {}
    for row in rows:
        case = _known_case(row, known, ignored)
        fold, side = _fold_number(row), row.choice("side", SIDES)
        if (fold, case.id) in lines:
            first = lines[fold, case.id]
            raise row.error(
                "case_id", f"fold {fold} has case {case.id!r} already on line {first}; keep one"
            )
        lines[fold, case.id] = row.line
        folds[fold][side].append(case if side == "train" else _judged(row, case))
    return folds


def _known_case(row: Row, known: dict[str, Case], ignored: set[str]) -> Case:
    name, patient = row.required("case_id"), row.required("patient_id")
    key = identity_key(name)
    if key in ignored:
        raise row.error("case_id", f"the recipe ignores the label of case {name!r}; drop the row")
    if key not in known:
        raise row.error("case_id", f"the cohort has no case {name!r}; {_meant(name, known)}")
    case = known[key]
    if identity_key(patient) != identity_key(case.patient):
        raise row.error(
            "patient_id",
            f"case {name!r} is of patient {case.patient!r} in the cohort, {patient!r} here; "
            "use the splits of this cohort",
        )
    return case


def _meant(name: str, known: dict[str, Case]) -> str:
    """What to do about an unknown case: a spreadsheet may have taken its zeros."""
    alike = by_likeness(case.id for case in known.values()).get(likeness_key(name))
    if alike is None:
        return "drop the row"
    return f"it has {alike!r}, so write that, as it was before a spreadsheet saved the table"


def _judged(row: Row, case: Case) -> Case:
    if case.testable:
        return case.judged
    raise row.error("side", f"case {case.id!r} has train_only images alone; it can only train")


def _fold_number(row: Row) -> int:
    text = row.required("fold")
    if text.isascii() and text.isdigit():
        return int(text)
    raise row.error("fold", f"{text!r} is no fold; number the folds 0, 1, 2 and so on")


def _refuse_missing(path: Path, cohort: Cohort, folds: dict[int, _Sides]) -> None:
    listed = {case.id for sides in folds.values() for cases in sides.values() for case in cases}
    missing = [case.id for case in cohort.cases if case.testable and case.id not in listed]
    if missing:
        raise SplitError(
            f"{path}, column 'case_id': no line names {some(missing)} of {cohort.path}; "
            "add these cases, or take them out of the cohort"
        )
