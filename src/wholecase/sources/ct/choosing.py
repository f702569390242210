"""Which of several series is read, by rules that are told."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wholecase.core.errors import SourceError
from wholecase.sources.ct.slice_header import KINDS, Slice

LEAST_SLICES = 3
"""Of a series that is chosen over others; fewer are scouts or samples."""
AXIAL = 0.8
"""Cosine between the slices' normal and the body's length, from which a series is axial."""
_SHARP_NAMES = re.compile(r"BONE|EDGE|LUNG|SHARP|DETAIL|CORNEA|YA|YB|YC|YD|YE", re.IGNORECASE)
_SIEMENS = re.compile(r"[A-Z]+[a-z]?(?P<sharpness>\d{2})[a-z]*", re.ASCII)
_TOSHIBA = re.compile(r"FC(?P<number>\d{2})", re.ASCII)
SIEMENS_SHARP = 55
TOSHIBA_SHARP = ((30, 39), (50, 59), (80, 89))
_BESIDE = ("LOCALIZER", "SCOUT", "TOPOGRAM", "DOSE", "SCREEN SAVE", "SCREENSAVE")


@dataclass(frozen=True)
class Chosen:
    """The slices that are read, and why these."""

    slices: tuple[Slice, ...]
    remarks: tuple[str, ...]


def choose(path: Path, slices: Sequence[Slice], wanted: str | None) -> Chosen:
    """The series that is asked for, or the one that the rules prefer.

    Left out are other modalities, scouts and dose pages. Of the rest come first: originals before
    derived ones, axial ones, soft kernels, the longer stretch of the body, thinner slices, the
    lower number.

    Raises:
        SourceError: nothing that can be read is left, or no series has that number.
    """
    images = [one for one in slices if one.modality == "CT" and one.kind in KINDS]
    if not images:
        raise SourceError(f"{path}: {_instead(slices)}; give a CT series")
    series = _by_series(images)
    if wanted is not None:
        picked = [group for group in series if wanted in (str(group[0].series), group[0].uid)]
        if len(picked) != 1:
            raise SourceError(
                f"{path}: no single series has the number {wanted}; it has {_numbers(series)}"
            )
        return Chosen(tuple(picked[0]), (f"series {wanted} is read, as the manifest says",))
    upright = [group for group in series if not is_beside(group[0])]
    if not upright:
        raise SourceError(f"{path}: only scouts and dose pages; give the slices")
    first = min(upright, key=_rank)
    return Chosen(tuple(first), _why(first, upright, len(series)))


def is_beside(one: Slice) -> bool:
    """Whether a slice is a scout or a page of figures, going by its image type."""
    kinds = " ".join(one.image_type).upper()
    return any(word in kinds for word in _BESIDE)


def is_sharp(kernel: str) -> bool | None:
    """Whether a reconstruction kernel is one for bone or lung; None where its name says nothing.

    By the vendors' names: GE's words, Siemens' numbers (B31s, H60f, Hr40), Toshiba's groups.

    >>> is_sharp("BONEPLUS"), is_sharp("H31s"), is_sharp("Hr68f"), is_sharp("FC81"), is_sharp("C")
    (True, False, True, True, None)
    """
    if found := _TOSHIBA.fullmatch(kernel.strip()):
        return any(low <= int(found["number"]) <= high for low, high in TOSHIBA_SHARP)
    if _SHARP_NAMES.search(kernel):
        return True
    if found := _SIEMENS.fullmatch(kernel.strip()):
        return int(found["sharpness"]) >= SIEMENS_SHARP
    return False if kernel.upper() in {"STANDARD", "SOFT", "STND"} else None


def _by_series(images: Sequence[Slice]) -> list[list[Slice]]:
    # scouts are often in the series that they plan
    found: dict[tuple[str, bool], list[Slice]] = {}
    for one in images:
        found.setdefault((one.uid, is_beside(one)), []).append(one)
    return list(found.values())


def _rank(group: list[Slice]) -> tuple[object, ...]:
    first = group[0]
    return (
        len(group) < LEAST_SLICES,
        "DERIVED" in first.image_type[:1],
        not _is_axial(first),
        is_sharp(first.kernel) is True,
        -round(_stretch_mm(group)),
        first.thickness_mm or np.inf,
        first.series if first.series is not None else np.inf,
        first.uid,
    )


_REASONS = (
    "the others have fewer than 3 slices",
    "it is original",
    "it is axial",
    "its kernel is not a sharp one",
    "it covers most",
    "its slices are thinner",
    "its number is the lowest",
    "its UID comes first",
)
"""Of each place in the rank, where it decides."""


def _why(first: list[Slice], upright: list[list[Slice]], count: int) -> tuple[str, ...]:
    if count == 1:
        return ()
    name = "" if first[0].series is None else f" {first[0].series}"
    rest = sorted(_rank(group) for group in upright if group is not first)
    beside = count - len(upright)
    left = f", {beside} of them scouts or dose pages" if beside else ""
    if not rest:
        return (f"series{name} of {count} is read{left}",)
    ranked = zip(_rank(first), rest[0], _REASONS, strict=True)
    reason = next((why for mine, other, why in ranked if mine != other), _REASONS[-1])
    return (f"series{name} of {count} is read{left}: {reason}",)


def _is_axial(one: Slice) -> bool:
    return one.across is not None and abs(float(one.normal[2])) >= AXIAL


def _stretch_mm(group: list[Slice]) -> float:
    heights = [one.height_mm for one in group if one.is_placed]
    return max(heights) - min(heights) if heights else 0.0


def _instead(slices: Sequence[Slice]) -> str:
    modalities = sorted({one.modality for one in slices if one.modality != "CT"})
    if modalities:
        plain = [name for name in modalities if re.fullmatch(r"[A-Z]{2,10}", name)]
        return f"holds no CT but {', '.join(plain) or 'images of another kind'}"
    if slices:
        return "captures of a screen or the like, which know no Hounsfield units"
    return "no DICOM images"


def _numbers(series: list[list[Slice]]) -> str:
    numbers = sorted({group[0].series for group in series if group[0].series is not None})
    return ", ".join(map(str, numbers[:20])) or "none with a number"
