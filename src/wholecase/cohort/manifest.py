"""The cohort file: one row per image, read with every mistake named by line and column."""

import contextlib
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar, final

from wholecase.cohort.cases import Cohort, Image
from wholecase.cohort.cells import CELLS, COLUMNS, case_of, patient_of, side_of
from wholecase.cohort.clinical import covariate_remarks, values_of, with_covariates
from wholecase.cohort.cure import override_for
from wholecase.cohort.doubts import (
    check_ids,
    column_remarks,
    damaged_ids,
    id_remarks,
    label_remarks,
    unjudged_remarks,
)
from wholecase.cohort.gather import Columns, Entry, gather
from wholecase.cohort.identity import identity_key
from wholecase.cohort.labels import Labels
from wholecase.cohort.mistakes import CellError, Mistakes
from wholecase.cohort.remarks import Remark
from wholecase.cohort.row import Row
from wholecase.cohort.spreadsheet import RUN, Runners
from wholecase.cohort.table import open_table
from wholecase.core.errors import ManifestError

REQUIRED = ("case_id", "patient_id", "path", "kind")
"""Columns that every manifest has; the label column joins them where labels are asked for."""
MOST_STRANGERS = 100
"""Unknown labels that are kept to advise on; of more there is nothing to say."""

Text = TypeVar("Text", str, str | None)


@dataclass(frozen=True)
class Reading:
    """What could be read of a manifest, and what is wrong with it."""

    cohort: Cohort
    """Without the rows that cannot be used; a case whose rows disagree is as its first row says."""
    mistakes: tuple[ManifestError, ...]
    """One sentence for each kind of mistake, in the order of reading."""


def read_cohort(path: Path, labels: Labels | None) -> Cohort:
    """The cases of a manifest, in its order; the image files themselves are not looked at.

    Paths in it are relative to the file; a backslash parts folders as a slash does. With `labels`,
    each case gets its target and cases with an ignored label stand apart; without, the label column
    is optional and stays text.

    Raises:
        ManifestError: the file is wrong; the message names file, line, column and cure.
    """
    reading = read_leniently(path, labels)
    if reading.mistakes:
        raise reading.mistakes[0]
    return reading.cohort


def read_leniently(path: Path, labels: Labels | None) -> Reading:
    """What `read_cohort` gives as far as it can be had, with all mistakes instead of the first.

    Raises:
        ManifestError: there is no table with the needed columns.
    """
    column = labels.column if labels else Labels.column
    needed = (*REQUIRED, *labels.columns, *labels.clinical) if labels else REQUIRED
    with _no_collection():
        return _read(path, needed, _Reader(column, labels))


def read_to_ask(path: Path, labels: Labels) -> Cohort:
    """The cases of a manifest that a finished run is asked about, labelled as far as it knows.

    A case without a label, or with one that `labels` does not know, has no target; the remarks say
    how many there are. Cases with an ignored label stand apart.

    Raises:
        ManifestError: the file is wrong otherwise.
    """
    with _no_collection():
        reader = _Reader(labels.column, labels, demanding=False)
        reading = _read(path, (*REQUIRED, *labels.clinical), reader)
    if reading.mistakes:
        raise reading.mistakes[0]
    cohort = reading.cohort
    return replace(cohort, remarks=(*cohort.remarks, *unjudged_remarks(cohort.cases)))


def refuse_no_manifest(path: Path | None) -> None:
    """Look at the header of a manifest, where one is named, before anything that takes time.

    Raises:
        ManifestError: there is no table with the columns that every manifest needs.
    """
    if path is not None:
        open_table(path, REQUIRED)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No search for garbage meanwhile: nothing here makes any, and it takes a third of the time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _read(path: Path, required: Sequence[str], reader: "_Reader") -> Reading:
    mistakes, labels = Mistakes(), reader.labels
    further = labels.columns[1:] if labels else ()
    asked = labels.covariates if labels else ()
    counted = labels.counted if labels else ()
    known = (reader.column, *further, *(column for column, _ in asked), *counted, *COLUMNS)
    table = open_table(path, required, known, mistakes)
    entries = [entry for row in table.rows if (entry := reader.entry(row, mistakes))]
    damaged = damaged_ids(entries)
    check_ids(damaged, path, mistakes)
    columns = Columns(path, reader.column, further)
    cases = gather(entries, columns, labels, mistakes)
    cases = with_covariates(cases, entries, asked, columns, mistakes)
    unknown = {identity_key(entry.case) for entry in entries if entry.is_unknown}
    kept = tuple([case for case in cases if not (labels and labels.ignores(case.label))])
    cohort = Cohort(
        path=path,
        cases=kept,
        classes=labels.names if labels else (),
        ignored=tuple([case for case in cases if labels and labels.ignores(case.label)]),
        counted=counted,
        anonymous=sum(identity_key(case.id) in unknown for case in kept) if unknown else 0,
        remarks=(
            *column_remarks(table.columns, known, asked=labels is not None),
            *reader.remarks(),
            *id_remarks(damaged, entries),
            *covariate_remarks(kept),
        ),
    )
    return Reading(cohort, tuple(reader.advised(mistake) for mistake in mistakes.errors()))


@final
class _Reader:
    """How the rows of one manifest become entries."""

    def __init__(self, column: str, labels: Labels | None, *, demanding: bool = True) -> None:
        self.column, self.labels = column, labels
        self._demanding = demanding
        self._fine: set[str | None] = set()
        self._strangers: dict[str, None] = {}
        self._runners = Runners()
        # a long manifest repeats its patients and labels; each is kept once, in one spelling
        self._words: dict[str, str] = {}
        self._spellings: dict[str, str] = {}

    def entry(self, row: Row, mistakes: Mistakes) -> Entry | None:
        """The row as an image, or None where a cell of it is wrong."""
        for column, cell in row.cells.items():
            if cell[:1] in RUN:
                self._runners.see(row.line, column, cell)
        try:
            return self._read(row)
        except CellError:
            # cell by cell, for a row may have several mistakes
            checks = (case_of, patient_of, self._label, self._further, self._clinical, side_of)
            for read in (*checks, *CELLS.values()):
                with mistakes.heard():
                    read(row)
            return None

    def remarks(self) -> Iterator[Remark]:
        """What is odd about the cells read so far."""
        yield from self._runners.remarks()
        if self.labels is not None:
            yield from label_remarks(self.column, self.labels, [v for v in self._fine if v])

    def advised(self, mistake: CellError) -> CellError:
        """A mistake about an unknown label with the override that would read the column."""
        is_strange = mistake.column == self.column and mistake.value in self._strangers
        if self.labels is None or not is_strange:
            return mistake
        found = len({self.labels.target_of(value) for value in self._fine if value} - {None})
        if found == 1:  # the strangers are rather the other class than to be left out
            return mistake
        advice = override_for(list(self._strangers), all_unknown=not found)
        return CellError(
            mistake.file, mistake.line, mistake.column, mistake.what + advice, mistake.value
        )

    def _read(self, row: Row) -> Entry:
        cells = row.cells
        values = {
            name: read(row) for name, read in CELLS.items() if name in REQUIRED or cells.get(name)
        }
        return Entry(
            case=case_of(row),
            patient_id=self._once(patient_of(row)),
            label=self._once(self._label(row)),
            split=side_of(row),
            site=self._once(row.text("site")),
            image=Image(line=row.line, groups=self._groups(row), **values),
            further=self._further(row),
            covariates=self._clinical(row),
        )

    def _label(self, row: Row) -> str | None:
        text = row.text(self.column)
        if text not in self._fine:
            if self._demanding and self.labels and (what := self.labels.objection(text)):
                if text and len(self._strangers) < MOST_STRANGERS:
                    self._strangers[text] = None
                raise row.error(self.column, what)
            self._fine.add(text)
        return text

    def _further(self, row: Row) -> tuple[str | None, ...]:
        """The other labels; an empty cell is none."""
        if self.labels is None or not self.labels.further:
            return ()
        found = []
        for labels in self.labels.further.values():
            text = row.text(labels.column)
            if text and (objection := labels.objection(text)):
                raise row.error(labels.column, objection)
            found.append(self._once(text))
        return tuple(found)

    def _groups(self, row: Row) -> tuple[str | None, ...]:
        if self.labels is None:
            return ()
        return tuple([self._once(row.text(column)) for column in self.labels.counted])

    def _clinical(self, row: Row) -> tuple[float | str | None, ...]:
        return values_of(row, self.labels.covariates) if self.labels else ()

    def _once(self, text: Text) -> Text:
        if not text:
            return text
        if (word := self._words.get(text)) is None:
            word = self._words[text] = self._spellings.setdefault(identity_key(text), text)
        return word
