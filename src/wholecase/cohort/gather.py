"""Rows become cases: what they say about one case, or one patient, must agree."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from wholecase.cohort.cases import Case, Image
from wholecase.cohort.labels import Labels
from wholecase.cohort.mistakes import Mistakes
from wholecase.cohort.row import Row


@dataclass(frozen=True)
class Entry:
    """One row and the image it names."""

    row: Row
    image: Image


def gather(
    entries: Sequence[Entry], column: str, labels: Labels | None, mistakes: Mistakes
) -> list[Case]:
    """One case per case id, in order of first appearance; `column` holds the label.

    Raises:
        ManifestError: two rows of a case differ in patient, label, split or site, or name the same
            file; two rows of a patient differ in split.
    """
    cases = _grouped(entries, "case_id")
    told = {"patient_id": "patients", column: "labels", "split": "splits", "site": "sites"}
    for case, rows in cases.items():
        for name, what in told.items():
            with mistakes.heard():
                _agree(rows, name, f"case {case!r} has two {what}")
        with mistakes.heard():
            _refuse_repeats(case, rows)
    for patient, rows in _grouped(entries, "patient_id").items():
        with mistakes.heard():
            _agree(rows, "split", f"patient {patient!r} is on two sides")
    return [_case(case, rows, column, labels) for case, rows in cases.items()]


def _grouped(entries: Sequence[Entry], column: str) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.row.required(column)].append(entry)
    return groups


def _agree(entries: Sequence[Entry], column: str, complaint: str) -> None:
    """Pass rows with one value in a column; empty is a value too."""
    first = entries[0].row
    for entry in entries[1:]:
        row = entry.row
        if row.text(column) != first.text(column):
            said = row.text(column) or "nothing", first.text(column) or "nothing"
            raise row.error(
                column,
                f"{complaint}, {said[0]!r} here and {said[1]!r} on line {first.line}; give one",
            )


def _refuse_repeats(case: str, entries: Sequence[Entry]) -> None:
    seen: dict[str, int] = {}
    for entry in entries:
        place = os.path.normpath(entry.image.path)
        if place in seen:
            raise entry.row.error(
                "path",
                f"case {case!r} has {entry.row.text('path')!r} already on line {seen[place]}; "
                "take one row out",
            )
        seen[place] = entry.row.line


def _case(case: str, entries: Sequence[Entry], column: str, labels: Labels | None) -> Case:
    row = entries[0].row
    label = row.text(column)
    return Case(
        id=case,
        patient=row.required("patient_id"),
        images=tuple(entry.image for entry in entries),
        label=label,
        target=labels.target_of(label) if labels and label else None,
        site=row.text("site"),
        split=row.text("split"),
    )
