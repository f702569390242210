"""What a manifest says that is doubtful: ids, columns and labels that are hardly meant so."""

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from wholecase.cohort.cases import UNKNOWN, Case
from wholecase.cohort.gather import Entry
from wholecase.cohort.identity import alike
from wholecase.cohort.labels import Labels
from wholecase.cohort.mistakes import CellError, Mistakes
from wholecase.cohort.remarks import Remark
from wholecase.cohort.split import some
from wholecase.cohort.spreadsheet import damage_of

NEAR = 0.7
"""Likeness of two columns' names from which one may be meant for the other."""
SHOWN = 3
"""Groups of ids alike that are named; the others are counted."""
SAID = {
    "rounded": "a spreadsheet had rounded it",
    "made a date": "a spreadsheet had made it a date",
    "lost": "it had been lost",
}
"""What seems to have become of an id, in words."""


def column_remarks(
    columns: Sequence[str], known: Sequence[str], *, asked: bool
) -> Iterator[Remark]:
    """Columns that nothing reads: one that is near a known one by itself, the others together.

    Args:
        columns: of the manifest.
        known: those that are read.
        asked: whether a recipe says which further columns it reads; without, none is wrong.
    """
    unread = [column for column in columns if column and column not in known]
    free = [column for column in known if column not in columns]
    others = []
    for column in unread:
        if meant := difflib.get_close_matches(column.casefold(), free, n=1, cutoff=NEAR):
            what = f"nothing reads it; did you mean {meant[0]!r}? rename it, or leave it as it is"
            yield Remark(f"column {column!r}", what, "column that is not read")
        else:
            others.append(repr(column))
    if others:
        where = f"column{'s' if len(others) > 1 else ''} {some(others)}"
        if asked:
            yield Remark(where, "the recipe does not read it", "column that is not read")
        else:
            yield Remark(where, "read only by a recipe that names it", "further column")


class Damaged(NamedTuple):
    """An id that somebody hardly wrote so."""

    column: str
    name: str
    lines: tuple[int, ...]
    damage: str


def damaged_ids(entries: Sequence[Entry]) -> list[Damaged]:
    """The case and patient ids that a spreadsheet seems to have changed, or lost."""
    found = []
    for column, field in (("case_id", "case"), ("patient_id", "patient_id")):
        names = dict.fromkeys(getattr(entry, field) for entry in entries)
        for name in names:
            if damage := damage_of(name):
                lines = (e.image.line for e in entries if getattr(e, field) == name)
                found.append(Damaged(column, name, tuple(lines), damage))
    return found


def check_ids(damaged: Sequence[Damaged], path: Path, mistakes: Mistakes) -> None:
    """Where several ids seem to have become one, nobody can tell them apart any more."""
    for column, name, lines, damage in damaged:
        if len(lines) > 1:
            what = (
                f"{name!r} stands on {len(lines)} lines and looks as if {SAID[damage]}; several "
                "ids may have become one, so take them from the table as it was before, and write "
                f"{UNKNOWN!r} for patients that nobody knows"
            )
            with mistakes.heard():
                raise CellError(path, lines[0], column, what, name)


def id_remarks(damaged: Sequence[Damaged], entries: Sequence[Entry]) -> Iterator[Remark]:
    """Ids that a spreadsheet seems to have changed, and patients that are probably one."""
    if single := [d for d in damaged if len(d.lines) == 1]:
        named = some(f"{d.name!r} (line {d.lines[0]}, column {d.column!r})" for d in single)
        what = f"look as if {SAID[single[0].damage]}; compare with the table as it was before"
        yield Remark(named, what, "ids changed by a spreadsheet")
    if groups := alike(entry.patient_id for entry in entries if not entry.is_unknown):
        named = "; ".join(", ".join(map(repr, group)) for group in groups[:SHOWN])
        more = f" and {len(groups) - SHOWN} more groups" if len(groups) > SHOWN else ""
        what = (
            "differ in capitals, leading zeros or .0 alone and are kept on one side of every "
            "split; write one id if they are one patient"
        )
        yield Remark(f"patients {named}{more}", what, "similar patient ids")


def label_remarks(column: str, labels: Labels, values: Sequence[str]) -> Iterator[Remark]:
    """Labels that the recipe has in other capitals or digits, or not by that name."""
    read = {
        value: labels.names[target]
        for value in sorted(values)
        if not labels.is_literal(value) and (target := labels.target_of(value)) is not None
    }
    if read:
        readings = ", ".join(f"{value!r} as {name!r}" for value, name in read.items())
        yield Remark(f"column {column!r}", f"reads {readings}", "labels in another spelling")


def unjudged_remarks(cases: Sequence[Case]) -> Iterator[Remark]:
    """How many cases have no label, or one that the run does not know."""
    if all(case.label is None for case in cases):
        return  # an unlabelled cohort, and nobody expects to be judged
    blank = [case.id for case in cases if case.label is None]
    strange = [case for case in cases if case.label is not None and case.target is None]
    if blank:
        what = f"no label, so they count in no metric ({len(blank)} of {len(cases)} cases)"
        yield Remark(f"cases {some(blank)}", what, "cases without a label")
    if strange:
        values = some(dict.fromkeys(repr(case.label) for case in strange))
        what = (
            f"the run knows nothing of the labels {values}, so they count in no metric "
            f"({len(strange)} of {len(cases)} cases)"
        )
        yield Remark(f"cases {some(c.id for c in strange)}", what, "unknown labels")
