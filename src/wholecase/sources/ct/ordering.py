"""Slices in the order of the body: by position along their normal, never by name or number."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.sources.ct.choosing import LEAST_SLICES
from wholecase.sources.ct.slice_header import Slice

ALIKE = 1e-3
"""Directions that differ by less are one: writers round them (0.06 degrees)."""
SAME_MM = 0.01
"""Positions nearer than this are one."""
GAP = 1.5
"""Times the usual distance: from there on slices are missing between."""
TILTED_DEG = 0.5


@dataclass(frozen=True)
class Ordered:
    """Slices from the feet upwards (of axial ones), and what was mended on the way."""

    slices: tuple[Slice, ...]
    heights_um: tuple[float, ...]
    """Along the normal; of a lone slice without a place 0."""
    notes: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    """What costs no slice that is meant."""


def ordered(path: Path, slices: Sequence[Slice]) -> Ordered:
    """The slices of a series in order.

    Raises:
        SourceError: they do not say where they lie, or belong to several volumes that nothing
            tells apart.
    """
    if len(slices) == 1 and slices[0].position_mm is None:
        return Ordered(tuple(slices), (0.0,), ())
    kept, notes = _one_volume(path, slices)
    kept = sorted(kept, key=lambda one: one.height_mm)
    kept, remarks = _distinct(path, kept)
    heights = [one.height_mm for one in kept]
    tilt = _tilt_deg(kept)
    notes += _gaps(heights)
    if tilt > TILTED_DEG:
        remarks.append(
            f"the gantry was tilted by {tilt:.1f}°: slices are taken as they are, lengths between "
            f"them are along the table's normal"
        )
    heights_um = tuple(1000 * mm for mm in heights)
    return Ordered(tuple(kept), heights_um, tuple(notes), tuple(remarks))


def _one_volume(path: Path, slices: Sequence[Slice]) -> tuple[list[Slice], list[str]]:
    """The slices of one direction and size, where one has nearly all."""
    placed = [one for one in slices if one.is_placed]
    lost = len(slices) - len(placed)
    if lost and len(placed) < LEAST_SLICES:
        raise SourceError(
            f"{path}: {lost} of {len(slices)} slices do not say where they lie, so that their "
            f"order is unknown; export the series again"
        )
    groups: list[list[Slice]] = []
    for one in placed:
        home = next((group for group in groups if _alike(group[0], one)), None)
        if home is None:
            groups.append([one])
        else:
            home.append(one)
    groups.sort(key=len, reverse=True)
    notes = [f"{lost} slices without a position are left out"] if lost else []
    if len(groups) == 1:
        return groups[0], notes
    rest = len(placed) - len(groups[0])
    # a scout or two among the slices are no other volume
    if len(groups[0]) < LEAST_SLICES or rest > max(2, len(placed) // 10):
        sizes = " and ".join(str(len(group)) for group in groups[:3])
        raise SourceError(
            f"{path}: slices of {len(groups)} directions or sizes in one series ({sizes} of each); "
            f"give each a folder of its own"
        )
    return groups[0], [*notes, f"{rest} slices of another direction or size are left out"]


def _alike(one: Slice, other: Slice) -> bool:
    same_size = (one.rows, one.columns) == (other.rows, other.columns)
    return same_size and bool(np.abs(one.directions - other.directions).max() < ALIKE)


def _distinct(path: Path, slices: list[Slice]) -> tuple[list[Slice], list[str]]:
    """One slice of each position: the acquisition with most of them, where several were made."""
    twice = sum(b.height_mm - a.height_mm < SAME_MM for a, b in pairwise(slices))
    if not twice:
        return slices, []
    counts: Counter[Any] = Counter(one.acquisition for one in slices)
    if len(counts) > 1 and None not in counts:
        most = max(counts, key=lambda number: (counts[number], -number))
        kept = [one for one in slices if one.acquisition == most]
        if all(b.height_mm - a.height_mm >= SAME_MM for a, b in pairwise(kept)):
            return kept, [
                f"acquisition {most} of {len(counts)} is read, which has {len(kept)} slices"
            ]
    raise SourceError(
        f"{path}: {twice} slices lie where another lies, and no acquisition number tells them "
        f"apart; keep one reconstruction or phase in the folder"
    )


def _gaps(heights: list[float]) -> list[str]:
    if len(heights) < LEAST_SLICES:
        return []
    steps = np.diff(heights)
    usual = float(np.median(steps))
    wide = steps[steps > GAP * usual]
    if not len(wide):
        return []
    missing = int(np.rint(wide / usual - 1).sum())
    return [
        f"{len(wide)} gaps of up to {wide.max():.1f} mm where slices lie {usual:.1f} mm apart: "
        f"about {max(missing, len(wide))} slices are missing or the distance changes"
    ]


def _tilt_deg(slices: list[Slice]) -> float:
    """Angle between the slices' normal and the way from the first to the last of them."""
    if len(slices) < LEAST_SLICES:
        return 0.0
    first, last = slices[0].position_mm, slices[-1].position_mm
    assert first is not None  # noqa: S101 (only placed ones come here)
    assert last is not None  # noqa: S101
    way = last - first
    if (length := float(np.linalg.norm(way))) < SAME_MM:
        return 0.0
    cosine = abs(float(way @ slices[0].normal)) / length
    return float(np.degrees(np.arccos(min(cosine, 1.0))))
