"""Rows become cases: what they say about one case, or one patient, must agree."""

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from wholecase.cohort.cases import UNKNOWN, Case, Image, Target
from wholecase.cohort.identity import identity_key, likeness_key
from wholecase.cohort.labels import Labels
from wholecase.cohort.mistakes import CellError, Mistakes


class Entry(NamedTuple):
    """What one row says of its case, and the image it names.

    A long manifest has hundreds of thousands; a row with all its cells would weigh three times.
    """

    case: str
    patient_id: str
    label: str | None
    split: str | None
    site: str | None
    image: Image
    further: tuple[str | None, ...] = ()
    covariates: tuple[float | str | None, ...] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether nobody knows whose the case is."""
        return self.patient_id.casefold() == UNKNOWN

    @property
    def patient(self) -> str:
        """The patient, or the case where nobody knows whose it is."""
        return self.case if self.is_unknown else self.patient_id


class Columns(NamedTuple):
    """The manifest, for messages, and its columns with labels."""

    file: Path
    label: str
    further: tuple[str, ...] = ()

    def error(self, entry: Entry, column: str, what: str) -> CellError:
        """An error about one cell."""
        return CellError(self.file, entry.image.line, column, what)


def gather(
    entries: Sequence[Entry], columns: Columns, labels: Labels | None, mistakes: Mistakes
) -> list[Case]:
    """One case per case id, in order of first appearance; ids are one by their `identity_key`.

    Mistakes are two rows of a case that differ in patient, label, split or site, or name the same
    file, and rows of a patient, or of patients that are alike, that differ in split.
    """
    cases = _grouped(entries, lambda entry: identity_key(entry.case))
    for rows in cases.values():
        if len(rows) > 1:
            _check_case(rows[0].case, rows, columns, mistakes)
    if any(entry.split for entry in entries):
        key = functools.cache(likeness_key)
        for rows in _grouped(entries, lambda entry: key(entry.patient)).values():
            names = " or ".join(dict.fromkeys(repr(entry.patient) for entry in rows))
            with mistakes.heard():
                _agree(rows, columns, "split", f"patient {names} is on two sides")
    return [_case(rows[0].case, rows, labels) for rows in cases.values()]


def _grouped(entries: Sequence[Entry], key_of: Callable[[Entry], str]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        key = key_of(entry)
        if (group := groups.get(key)) is None:
            groups[key] = [entry]
        else:
            group.append(entry)
    return groups


def _check_case(case: str, rows: Sequence[Entry], columns: Columns, mistakes: Mistakes) -> None:
    once_each = {"patient_id": "patients", "label": "labels", "split": "splits", "site": "sites"}
    for name, what in once_each.items():
        with mistakes.heard():
            _agree(rows, columns, name, f"case {case!r} has two {what}")
    with mistakes.heard():
        _agree_further(case, rows, columns)
    with mistakes.heard():
        _refuse_repeats(case, rows, columns)


def _agree(entries: Sequence[Entry], columns: Columns, name: str, complaint: str) -> None:
    """Pass rows with one value of that name; empty is a value too."""
    first = getattr(entries[0], name)
    for entry in entries[1:]:
        if getattr(entry, name) != first:
            here, there = getattr(entry, name) or "nothing", first or "nothing"
            raise columns.error(
                entry,
                columns.label if name == "label" else name,
                f"{complaint}, {here!r} here and {there!r} on line {entries[0].image.line}; "
                "give one",
            )


def _agree_further(case: str, entries: Sequence[Entry], columns: Columns) -> None:
    first = entries[0]
    for entry in entries[1:]:
        for column, here, there in zip(columns.further, entry.further, first.further, strict=True):
            if here != there:
                raise columns.error(
                    entry,
                    column,
                    f"case {case!r} has two of them, {here or 'nothing'!r} here and "
                    f"{there or 'nothing'!r} on line {first.image.line}; give one",
                )


def _refuse_repeats(case: str, entries: Sequence[Entry], columns: Columns) -> None:
    seen: dict[str, int] = {}
    for entry in entries:
        place = os.path.normpath(entry.image.path)
        if place in seen:
            raise columns.error(
                entry,
                "path",
                f"case {case!r} has {place!r} already on line {seen[place]}; take one row out",
            )
        seen[place] = entry.image.line


def _case(case: str, entries: Sequence[Entry], labels: Labels | None) -> Case:
    first = entries[0]
    return Case(
        id=case,
        patient=first.patient,
        images=tuple([entry.image for entry in entries]),
        label=first.label,
        target=labels.target_of(first.label) if labels and first.label else None,
        site=first.site,
        split=first.split,
        targets=_targets(first, labels) if labels and labels.further else (),
    )


def _targets(entry: Entry, labels: Labels) -> tuple[Target, ...]:
    return tuple(
        Target(name, own.target_of(text) if text else None, len(own.classes), text)
        for (name, own), text in zip(labels.further.items(), entry.further, strict=True)
    )
