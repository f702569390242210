"""The cohort file: one row per image, read with every mistake named by line and column."""

import contextlib
import functools
import gc
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

from wholecase.cohort.cases import KINDS, Cohort, Image
from wholecase.cohort.gather import Columns, Entry, gather
from wholecase.cohort.labels import Labels
from wholecase.cohort.mistakes import Mistakes
from wholecase.cohort.row import Row
from wholecase.cohort.table import read_table
from wholecase.core.errors import ManifestError
from wholecase.core.kinds import NOT_YET
from wholecase.core.units import LEAST_SPACING_UM, MOST_SPACING_UM, is_plausible_spacing

REQUIRED = ("case_id", "patient_id", "path", "kind")
"""Columns that every manifest has; the label column joins them where labels are asked for."""
MICROSCOPIC = ("slide", "tile")
"""Kinds that a microscope made; the pixels of a photograph or a scanner may be far larger."""
MOST_SAMPLE = 2**16
"""No stored sample is as large: they have 16 bits at most."""
SIDES = ("train", "valid", "test")
"""What the manifest's `split` may say."""

Text = TypeVar("Text", str, str | None)


@dataclass(frozen=True)
class Reading:
    """What could be read of a manifest, and every mistake in it."""

    cohort: Cohort
    """Without the rows that cannot be used; a case whose rows disagree is as its first row says."""
    mistakes: tuple[ManifestError, ...]
    """The first of each cell, case or patient, in the order of reading."""


def read_cohort(path: Path, labels: Labels | None) -> Cohort:
    """The cases of a manifest, in its order; the image files themselves are not looked at.

    Paths in it are relative to the file; a backslash parts folders as a slash does. With `labels`,
    each case gets its target and cases with an ignored label stand apart; without, the label column
    is optional and stays text.

    Raises:
        ManifestError: the file is wrong; the message names file, line, column and cure.
    """
    with _no_collection():
        return _read(path, labels, Mistakes(gather=False))


def read_leniently(path: Path, labels: Labels | None) -> Reading:
    """What `read_cohort` gives as far as it can be had, with all mistakes instead of the first.

    Raises:
        ManifestError: there is no table with the needed columns.
    """
    mistakes = Mistakes(gather=True)
    with _no_collection():
        cohort = _read(path, labels, mistakes)
    return Reading(cohort, tuple(mistakes.found))


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


def _read(path: Path, labels: Labels | None, mistakes: Mistakes) -> Cohort:
    column = labels.column if labels else Labels.column
    needed = (*REQUIRED, *labels.columns) if labels else REQUIRED
    rows = read_table(path, needed, mistakes)
    reader = _Reader(column, labels)
    further = labels.columns[1:] if labels else ()
    entries = [entry for row in rows if (entry := reader.entry(row, mistakes))]
    cases = gather(entries, Columns(path, column, further), labels, mistakes)
    unknown = {entry.case for entry in entries if entry.is_unknown}
    ignore = labels.ignore if labels else ()
    kept = tuple([case for case in cases if case.label not in ignore])
    return Cohort(
        path=path,
        cases=kept,
        classes=labels.names if labels else (),
        ignored=tuple([case for case in cases if case.label in ignore]),
        anonymous=sum(case.id in unknown for case in kept),
    )


@final
class _Reader:
    """How the rows of one manifest become entries."""

    def __init__(self, column: str, labels: Labels | None) -> None:
        self._column, self._labels = column, labels
        self._fine: set[str | None] = set()
        # a long manifest repeats its patients and labels; each is kept once
        self._words: dict[str, str] = {}

    def entry(self, row: Row, mistakes: Mistakes) -> Entry | None:
        """The row as an image, or None where a cell of it is wrong."""
        try:
            return self._read(row)
        except ManifestError:
            # cell by cell, for a row may have several mistakes
            checks = (_case, _patient, self._label, self._further, _side)
            for read in (*checks, *CELLS.values()):
                with mistakes.heard():
                    read(row)
            return None

    def _read(self, row: Row) -> Entry:
        cells = row.cells
        told = {
            name: read(row) for name, read in CELLS.items() if name in REQUIRED or cells.get(name)
        }
        return Entry(
            case=_case(row),
            patient_id=self._once(_patient(row)),
            label=self._once(self._label(row)),
            split=_side(row),
            site=self._once(row.text("site")),
            image=Image(line=row.line, **told),
            further=self._further(row),
        )

    def _label(self, row: Row) -> str | None:
        text = row.text(self._column)
        if text not in self._fine:
            if self._labels and (objection := self._labels.objection(text)):
                raise row.error(self._column, objection)
            self._fine.add(text)
        return text

    def _further(self, row: Row) -> tuple[str | None, ...]:
        """The other labels; an empty cell is none."""
        if self._labels is None or not self._labels.further:
            return ()
        found = []
        for labels in self._labels.further.values():
            text = row.text(labels.column)
            if text and (objection := labels.objection(text)):
                raise row.error(labels.column, objection)
            found.append(self._once(text))
        return tuple(found)

    def _once(self, text: Text) -> Text:
        return self._words.setdefault(text, text) if text else text


def _case(row: Row) -> str:
    return row.required("case_id")


def _patient(row: Row) -> str:
    return row.required("patient_id")


def _side(row: Row) -> str | None:
    return SIDES[SIDES.index(row.choice("split", SIDES))] if row.text("split") else None


def _path(row: Row) -> Path:
    return _place(row, "path", row.required("path"))


def _place(row: Row, column: str, text: str) -> Path:
    """A file that a cell names; manifests travel, so both slashes part folders everywhere."""
    if text[1:2] == ":" and os.name != "nt" and re.match(r"[A-Za-z]:[\\/]", text):
        raise row.error(
            column, f"{text!r} is on a Windows drive; write the path relative to the manifest"
        )
    return _folder(row.file) / text.replace("\\", "/")


@functools.lru_cache(maxsize=1)
def _folder(manifest: Path) -> Path:
    return manifest.parent


def _optional(column: str) -> Callable[[Row], Path | None]:
    def read(row: Row) -> Path | None:
        text = row.text(column)
        return _place(row, column, text) if text else None

    return read


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


def _kind(row: Row) -> str:
    if reason := NOT_YET.get(row.text("kind") or ""):
        raise row.error("kind", reason)
    return KINDS[KINDS.index(row.choice("kind", KINDS))]


def _window(row: Row) -> tuple[int, int] | None:
    text = row.text("window")
    if text is None:
        return None
    found = re.fullmatch(r"(\d{1,5})\s*-\s*(\d{1,5})", text)
    low, high = (int(found[1]), int(found[2])) if found else (0, 0)
    if not low < high < MOST_SAMPLE:
        raise row.error(
            "window",
            f"{text!r} is no window; write the stored samples that are black and white, such as "
            "0-4095",
        )
    return low, high


def _magnification(row: Row) -> float | None:
    power = row.number("magnification")
    if power is None or power > 0:
        return power
    raise row.error("magnification", f"{power:g} is no objective power; write one such as 40")


CELLS: dict[str, Callable[[Row], Any]] = {
    "path": _path,
    "kind": _kind,
    "order": lambda row: row.number("order"),
    "mpp": _spacing,
    "window": _window,
    "magnification": _magnification,
    "mask": _optional("mask"),
    "tissue": _optional("tissue"),
    "train_only": lambda row: row.flag("train_only"),
}
"""The columns that make an `Image`, and how each is read."""
