"""The cohort file: one row per image, read with every mistake named by line and column."""

from pathlib import Path

from wholecase.cohort.cases import KINDS, Cohort, Image
from wholecase.cohort.gather import Entry, gather
from wholecase.cohort.labels import Labels
from wholecase.cohort.row import Row
from wholecase.cohort.table import read_table
from wholecase.core.units import LEAST_SPACING_UM, MOST_SPACING_UM, is_plausible_spacing

REQUIRED = ("case_id", "patient_id", "path", "kind")
"""Columns that every manifest has; the label column joins them where labels are asked for."""
MICROSCOPIC = ("slide", "tile")
"""Kinds that a microscope made; the pixels of a photograph or a scanner may be far larger."""
SIDES = ("train", "test")
"""What the manifest's `split` may say."""


def read_cohort(path: Path, labels: Labels | None) -> Cohort:
    """The cases of a manifest, in its order; the image files themselves are not looked at.

    Paths in it are relative to the file. With `labels`, each case gets its target and cases with
    an ignored label stand apart; without, the label column is optional and stays text.

    Raises:
        ManifestError: the file is wrong; the message names file, line, column and cure.
    """
    column = labels.column if labels else Labels.column
    rows = read_table(path, (*REQUIRED, column) if labels else REQUIRED)
    entries = [_entry(row, column, labels) for row in rows]
    cases = gather(entries, column, labels)
    ignore = labels.ignore if labels else ()
    return Cohort(
        path=path,
        cases=tuple(case for case in cases if case.label not in ignore),
        classes=labels.names if labels else (),
        ignored=tuple(case for case in cases if case.label in ignore),
    )


def _entry(row: Row, column: str, labels: Labels | None) -> Entry:
    for name in ("case_id", "patient_id"):
        row.required(name)
    if labels and (objection := labels.objection(row.text(column))):
        raise row.error(column, objection)
    if row.text("split"):
        row.choice("split", SIDES)
    return Entry(row, _image(row))


def _image(row: Row) -> Image:
    mask = row.text("mask")
    return Image(
        path=row.file.parent / row.required("path"),
        kind=row.choice("kind", KINDS),
        line=row.line,
        order=row.number("order"),
        mpp=_spacing(row),
        magnification=_magnification(row),
        mask=row.file.parent / mask if mask else None,
        train_only=row.flag("train_only"),
    )


def _spacing(row: Row) -> float | None:
    spacing_um = row.number("mpp")
    if spacing_um is None:
        return None
    if row.text("kind") in MICROSCOPIC:
        fits, band = (
            is_plausible_spacing(spacing_um),
            f"{LEAST_SPACING_UM:g} to {MOST_SPACING_UM:g}",
        )
    else:
        fits, band = spacing_um > 0, "more than 0"
    if fits:
        return spacing_um
    raise row.error(
        "mpp",
        f"{spacing_um:g} µm/px cannot be, a {row.text('kind')} has {band}; "
        "write micrometres per pixel at full resolution, or leave it empty",
    )


def _magnification(row: Row) -> float | None:
    power = row.number("magnification")
    if power is None or power > 0:
        return power
    raise row.error("magnification", f"{power:g} is no objective power; write one such as 40")
