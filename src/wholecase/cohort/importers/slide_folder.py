"""A folder of slides, and a table that knows their labels."""

import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from wholecase.cohort.adhoc import SLIDE_SUFFIXES
from wholecase.cohort.importers.draft import Draft, DraftRow
from wholecase.cohort.importers.files import images_below, require_folder
from wholecase.cohort.importers.label_table import Slide, cell, read_labels
from wholecase.cohort.importers.matching import Place, distinct_names
from wholecase.cohort.importers.naming import patients_from
from wholecase.cohort.row import Row
from wholecase.cohort.split import some
from wholecase.core.errors import ManifestError

BARCODE = re.compile(r"TCGA-([A-Z0-9]{2})-[A-Z0-9]{4}(?![A-Z0-9])")
"""A TCGA patient at the start of a file name; its first part is the site that gave the tissue."""


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
        ManifestError: there are no slides, or the table contradicts itself, means two slides by one
            name, or fits none of them.
    """
    require_folder(root)
    paths = list(_slides(root))
    if not paths:
        raise ManifestError(f"{root}: no slides ({', '.join(sorted(SLIDE_SUFFIXES))}) found")
    patients = patients_from(paths, root, patient_from) if patient_from else {}
    names = distinct_names(paths, root)
    slides = [
        _slide(path, root, name, patients.get(path))
        for path, name in zip(paths, names, strict=True)
    ]
    if labels is None:
        return Draft(tuple(_row(slide, None, column) for slide in slides))
    table = read_labels(labels, slides, column)
    rows = [_row(slide, row, column) for slide in slides if (row := table.rows.get(slide))]
    if not rows:
        raise ManifestError(
            f"{labels}: no row fits a slide of {root}; write file names such as "
            f"{paths[0].name!r} in a column 'slide', or patients in a column 'patient'"
        )
    unlabelled = [slide.place.path.name for slide in slides if slide not in table.rows]
    return Draft(tuple(rows), tuple(_left_out(unlabelled, table.lost, labels)))


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


def _slide(path: Path, root: Path, name: str, patient: str | None) -> Slide:
    barcode = BARCODE.match(path.name)
    if barcode is None:
        return Slide(Place(path, root), name, patient, None)
    # of these names alone the part before the first dot is one
    place = Place(path, root, also=(path.name.partition(".")[0],))
    return Slide(place, name, patient or barcode.group(), barcode.group(1))


def _row(slide: Slide, row: Row | None, column: str) -> DraftRow:
    case, patient = (row and cell(row, "case")), (row and cell(row, "patient"))
    patient = patient or slide.patient or case or slide.name
    return DraftRow(
        case_id=case or patient,
        patient_id=patient,
        path=slide.place.path,
        kind="slide",
        label=row.text(column) if row else None,
        site=slide.site,
    )


def _left_out(unlabelled: Sequence[str], lost: Sequence[str], labels: Path) -> Iterator[str]:
    if unlabelled:
        yield f"{len(unlabelled)} slides without a row in {labels}: {some(unlabelled)}"
    if lost:
        yield f"{len(lost)} rows of {labels} without a slide: {some(lost)}"
