"""A table of labels, and which of its rows speaks of which slide."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.identity import identity_key
from wholecase.cohort.importers.matching import Place, Places
from wholecase.cohort.row import Row
from wholecase.cohort.split import some
from wholecase.cohort.table import open_table

ALIASES = {
    "slide": ("slide", "slide_id", "path", "file", "filename"),
    "case": ("case", "case_id"),
    "patient": ("patient", "patient_id"),
}
"""Headings under which a table of labels may name a slide, its case and its patient."""


@dataclass(frozen=True)
class Slide:
    """A slide and whose it is, as far as its file name tells."""

    place: Place
    name: str
    """That no other slide of the folder has."""
    patient: str | None
    site: str | None


@dataclass(frozen=True)
class LabelTable:
    """What a table says of the slides of a folder."""

    rows: dict[Slide, Row]
    lost: tuple[str, ...]
    """What the rows name that speak of no slide."""


def cell(row: Row, what: str) -> str | None:
    """What a row says of the slide, case or patient, under whichever heading."""
    return next((text for name in ALIASES[what] if (text := row.text(name))), None)


def read_labels(path: Path, slides: Sequence[Slide], column: str) -> LabelTable:
    """The rows by slide; one that names the slide goes before one that names its patient.

    Raises:
        ManifestError: a name means two slides, or a slide has rows that differ in label, case or
            patient.
    """
    places = Places(slide.place for slide in slides)
    owner = {slide.place: slide for slide in slides}
    patients: dict[str, list[Slide]] = defaultdict(list)
    for slide in slides:
        if slide.patient:
            patients[identity_key(slide.patient)].append(slide)
    named: dict[Slide, list[Row]] = defaultdict(list)
    grouped: dict[Slide, list[Row]] = defaultdict(list)
    lost = []
    known = [name for names in ALIASES.values() for name in names]
    for row in open_table(path, (column,), known).rows:
        row.required(column)
        name, by_name, by_patient = _meant(row, places, patients)
        if len(by_name) > 1:
            raise _ambiguous(row, name, by_name)
        for place in by_name:
            named[owner[place]].append(row)
        for slide in by_patient:
            grouped[slide].append(row)
        if not by_name and not by_patient:
            lost.append(name)
    found = {slide: rows for slide in slides if (rows := named[slide] or grouped[slide])}
    return LabelTable({slide: _sole(rows, column) for slide, rows in found.items()}, tuple(lost))


def _meant(
    row: Row, places: Places, patients: dict[str, list[Slide]]
) -> tuple[str, list[Place], list[Slide]]:
    """What the row names, and the slides of that file name, and those of that patient."""
    cells = [text for what in ALIASES if (text := cell(row, what))]
    if not cells:
        raise row.error("slide", "the row names no slide, case or patient; name one of them")
    given = cells[:1] if cell(row, "slide") else cells
    for text in given:
        by_name, by_patient = places.meant(text), patients.get(identity_key(text), [])
        if by_name or by_patient:
            return text, by_name, by_patient
    return cells[0], [], []


def _ambiguous(row: Row, name: str, places: Iterable[Place]) -> Exception:
    paths = some(place.path.relative_to(place.root).as_posix() for place in places)
    column = next(c for what in ALIASES for c in ALIASES[what] if row.text(c) == name)
    return row.error(column, f"{name!r} means several slides, {paths}; write more of the path")


def _sole(rows: Sequence[Row], column: str) -> Row:
    """The first of rows that say the same of one slide."""
    first = rows[0]
    for row in rows[1:]:
        _agree(row, first, column, row.text(column), first.text(column))
        for what, headings in ALIASES.items():
            if what != "slide":
                heading = next((h for h in headings if row.text(h)), headings[0])
                _agree(row, first, heading, cell(row, what), cell(first, what))
    return first


def _agree(row: Row, first: Row, column: str, here: str | None, there: str | None) -> None:
    if identity_key(here or "") != identity_key(there or ""):
        raise row.error(
            column,
            f"the same slide has {here or 'nothing'!r} here and {there or 'nothing'!r} on line "
            f"{first.line}; give one, or more of each path",
        )
