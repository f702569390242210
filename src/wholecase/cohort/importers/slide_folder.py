"""A folder of slides, and a table that knows their labels."""

import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.adhoc import SLIDE_SUFFIXES
from wholecase.cohort.importers.draft import Draft, DraftRow
from wholecase.cohort.importers.files import images_below, require_folder
from wholecase.cohort.importers.naming import patients_from
from wholecase.cohort.row import Row
from wholecase.cohort.split import some
from wholecase.cohort.table import read_table
from wholecase.core.errors import ManifestError

BARCODE = re.compile(r"TCGA-([A-Z0-9]{2})-[A-Z0-9]{4}(?![A-Z0-9])")
"""A TCGA patient at the start of a file name; its first part is the site that gave the tissue."""
ALIASES = {
    "slide": ("slide", "slide_id", "path", "file", "filename"),
    "case": ("case", "case_id"),
    "patient": ("patient", "patient_id"),
}
"""Headings under which a table of labels may name a slide, its case and its patient."""


@dataclass(frozen=True)
class _Name:
    """Whose a slide is, as far as its file name tells."""

    path: Path
    patient: str | None
    site: str | None

    @property
    def keys(self) -> tuple[str, ...]:
        """What a table may call the slide, best first; a TCGA name ends before its first dot."""
        names = self.path.name, self.path.stem, self.path.name.split(".")[0]
        return names if self.patient is None else (*names, self.patient)


def slide_folder(
    root: Path,
    labels: Path | None = None,
    *,
    column: str = "label",
    patient_from: str | None = None,
) -> Draft:
    """A row per slide; slides of one patient are one case unless the table says otherwise.

    Whose a slide is, the table says; else `patient_from`; else a TCGA barcode, which gives the site
    too; else the table's case; else every slide is a patient of its own.

    Args:
        root: the folder, with folders below it.
        labels: a CSV table with a label and a slide, case or patient in each row.
        column: the table's column with the label.
        patient_from: a regular expression that finds the patient in a slide's path below the root:
            its first group, or all of it.

    Raises:
        ManifestError: there are no slides, or the table contradicts itself or fits none of them.
    """
    require_folder(root)
    paths = list(_slides(root))
    patients = patients_from(paths, root, patient_from) if patient_from else {}
    slides = [_name(path, patients.get(path)) for path in paths]
    if not slides:
        raise ManifestError(f"{root}: no slides ({', '.join(sorted(SLIDE_SUFFIXES))}) found")
    if labels is None:
        return Draft(tuple(_row(slide, None, column) for slide in slides))
    table = _table(labels, column)
    told = [(slide, _told(slide, table)) for slide in slides]
    rows = tuple(_row(slide, row, column) for slide, row in told if row)
    if not rows:
        raise ManifestError(
            f"{labels}: no row fits a slide of {root}; write file names such as "
            f"{slides[0].path.name!r} in a column 'slide', or patients in a column 'patient'"
        )
    used = {row.line for _, row in told if row}
    unused = [key for key, row in table.items() if row.line not in used]
    unlabelled = [slide.path.name for slide, row in told if row is None]
    return Draft(rows, tuple(_left_out(unlabelled, unused, labels)))


def _slides(root: Path) -> Iterator[Path]:
    """The slide files; of the DICOM files of one series, the first stands for the slide."""
    series: set[str] = set()
    for path in images_below(root, SLIDE_SUFFIXES):
        if path.suffix.lower() == ".dcm":
            uid = _series(path)
            if uid in series:
                continue
            series.add(uid)
        yield path


def _series(path: Path) -> str:
    # pydicom takes longer to import than most folders to read
    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are longer than they may be
        try:
            header = pydicom.dcmread(
                path, stop_before_pixels=True, specific_tags=["SeriesInstanceUID"]
            )
            return str(header.SeriesInstanceUID)
        except (pydicom.errors.InvalidDicomError, AttributeError, OSError, ValueError):
            return path.as_posix()  # `check` will say what is wrong with it


def _name(path: Path, patient: str | None) -> _Name:
    barcode = BARCODE.match(path.name)
    if barcode is None:
        return _Name(path, patient, None)
    return _Name(path, patient or barcode.group(), barcode.group(1))


def _table(path: Path, column: str) -> dict[str, Row]:
    """The rows by every slide, case or patient name in them that says which slide is meant."""
    table: dict[str, Row] = {}
    for row in read_table(path, (column,)):
        key = _cell(row, "slide") or _cell(row, "case") or _cell(row, "patient")
        if key is None:
            raise row.error("slide", "the row names no slide, case or patient; name one of them")
        row.required(column)
        name = key.replace("\\", "/").split("/")[-1]
        other = table.setdefault(name, row)
        if other.text(column) != row.text(column):
            raise row.error(
                column,
                f"{name!r} is {row.text(column)!r} here and {other.text(column)!r} on line "
                f"{other.line}; give one label",
            )
    return table


def _cell(row: Row, what: str) -> str | None:
    return next((text for name in ALIASES[what] if (text := row.text(name))), None)


def _told(slide: _Name, table: dict[str, Row]) -> Row | None:
    return next((table[key] for key in slide.keys if key in table), None)


def _row(slide: _Name, row: Row | None, column: str) -> DraftRow:
    case, patient = (row and _cell(row, "case")), (row and _cell(row, "patient"))
    patient = patient or slide.patient or case or slide.path.stem
    return DraftRow(
        case_id=case or patient,
        patient_id=patient,
        path=slide.path,
        kind="slide",
        label=row.text(column) if row else None,
        site=slide.site,
    )


def _left_out(unlabelled: Sequence[str], unused: Sequence[str], labels: Path) -> Iterator[str]:
    if unlabelled:
        yield f"{len(unlabelled)} slides without a row in {labels}: {some(unlabelled)}"
    if unused:
        yield f"{len(unused)} rows of {labels} without a slide: {some(unused)}"
