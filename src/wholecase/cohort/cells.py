"""What the cells of a manifest's row mean."""

import functools
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wholecase.cohort.cases import KINDS
from wholecase.cohort.row import Row
from wholecase.core.outside import others
from wholecase.core.units import LEAST_SPACING_UM, MOST_SPACING_UM, is_plausible_spacing

MICROSCOPIC = ("slide", "tile")
"""Kinds that a microscope made; the pixels of a photograph or a scanner may be far larger."""
MOST_SAMPLE = 2**16
"""No stored sample is as large: they have 16 bits at most."""
SIDES = ("train", "valid", "test")
"""What the manifest's `split` may say."""


def case_of(row: Row) -> str:
    """The cell `case_id`, which is never empty."""
    return row.required("case_id")


def patient_of(row: Row) -> str:
    """The cell `patient_id`, which is never empty."""
    return row.required("patient_id")


def side_of(row: Row) -> str | None:
    """The cell `split`, None where it is empty."""
    return SIDES[SIDES.index(row.choice("split", SIDES))] if row.text("split") else None


def _path(row: Row) -> Path:
    series = row.text("series")
    if series is None:
        return _place(row, "path", row.required("path"))
    if row.text("kind") != "ct" or not re.fullmatch(r"[0-9][0-9.]{0,63}", series):
        raise row.error(
            "series", f"{series!r} is no series of a CT; write its number or its instance UID"
        )
    return _place(row, "path", f"{row.required('path')}#{series}")


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
    text = row.text("kind")
    if text is not None and text not in KINDS and text in others("source"):
        return text
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

COLUMNS = ("case_id", "patient_id", "split", "site", "series", *CELLS)
"""All that a manifest's header may name, besides the column with the label."""
