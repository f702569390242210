"""Pictures of a series: the slices that decide, where the model looked in them, and all slices."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import UInt8

from wholecase.cohort import Case
from wholecase.core.errors import SourceError
from wholecase.explain import (
    GRAD_CAM,
    Evidence,
    SliceSaid,
    enlarged,
    has_slices,
    overlay,
    series_sheet,
    slices_said,
    thinned,
)
from wholecase.explain.series_sheet import CELL_PX as SHEET_PX
from wholecase.sources import ImageSource, as_picture, open_source, read_box, resized

LEADING = 4
"""Slices that are shown by themselves: those that have most to do with the answer."""
CELL_PX, COLUMNS = 96, 8
"""Of a sheet of all slices: side of a slice, slices in a row."""
LONGEST_PX = 1024
Shades = tuple[float, float] | None


def is_series(case: Case, evidence: Evidence) -> bool:
    """Whether the case is shown by its slices: of a scan, or pictures that the manifest orders."""
    ordered = all(image.kind == "ct" or image.order is not None for image in case.images)
    return ordered and has_slices(evidence)


def leading_slices(evidence: Evidence) -> list[SliceSaid]:
    """Those that have most to do with the answer, first ones first."""
    return sorted(slices_said(evidence), key=lambda one: one.rank)[:LEADING]


def read_slices(
    case: Case, evidence: Evidence, longest_px: Mapping[int, int], shades: Shades
) -> dict[int, UInt8[np.ndarray, "_ _ 3"]]:
    """Slices as people see them, by index; one that cannot be read is missing.

    Each image is opened once. `longest_px` is the longer side of each slice that is wanted;
    `shades` what is black and white, as in `as_picture`.
    """
    found = {}
    for number in np.unique(evidence.image[[*longest_px]]).tolist():
        image = case.images[number]
        here = [i for i in longest_px if evidence.image[i] == number]
        try:
            with open_source(image.path, image.kind, image.mpp, image.window) as source:
                for i in here:
                    found[i] = _slice(source, evidence, i, longest_px[i], shades)
        except SourceError:
            continue
    return found


def slice_maps(
    pixels: UInt8[np.ndarray, "H W 3"], evidence: Evidence, index: int
) -> dict[str, UInt8[np.ndarray, "_ _ 3"]]:
    """Where within a slice, over its picture, by the name of the method."""
    return {name: overlay(enlarged(pixels), maps[index]) for name, maps in evidence.maps.items()}


def draw_series(
    case: Case, evidence: Evidence, shades: Shades, saved: Callable[[str, np.ndarray], str]
) -> dict[str, Any]:
    """Draw what a page shows of a series; `saved` writes a picture and returns its path.

    `thumbnail` and `maps` are of the slice that comes first, `slices` those that have most to do
    with the answer, `series` a sheet of all of them with what each says.

    Raises:
        SourceError: the slice that comes first cannot be read.
    """
    leading, shown = leading_slices(evidence), thinned(slices_said(evidence))
    sides = {one.index: CELL_PX for one in shown} | {one.index: LONGEST_PX for one in leading}
    pixels = read_slices(case, evidence, sides, shades)
    first = leading[0]
    if first.index not in pixels:
        raise SourceError(f"case {case.id}: {first.place}, which comes first, cannot be read")
    maps = slice_maps(pixels[first.index], evidence, first.index)
    there = [one for one in leading if one.index in pixels]
    sheet = _sheet([pixels.get(one.index) for one in shown])
    return {
        "thumbnail": saved("thumbnail.jpg", enlarged(pixels[first.index])),
        "maps": {name: saved(f"{name}.jpg", picture) for name, picture in maps.items()},
        "slices": [
            {
                **told(one),
                "picture": saved(f"slice{n}.jpg", _looked(pixels[one.index], evidence, one)),
            }
            for n, one in enumerate(there)
        ],
        "series": {
            "sheet": saved("sheet.jpg", sheet),
            "columns": COLUMNS,
            "slices": [told(one) for one in shown],
        },
    }


def with_marks(
    drawn: Mapping[str, Any], evidence: Evidence, marked: Sequence[int]
) -> dict[str, Any]:
    """What `draw_series` says, each slice with whether a person marked the finding in it."""
    where = {(one.series, one.number) for one in slices_said(evidence) if one.index in marked}

    def each(slices: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**one, "marked": (one["series"], one["slice"]) in where} for one in slices]

    if not where:
        return {**drawn}
    series = {**drawn["series"], "slices": each(drawn["series"]["slices"])}
    return {**drawn, "slices": each(drawn["slices"]), "series": series}


def series_picture(
    case: Case, evidence: Evidence, shades: Shades, of_class: str
) -> UInt8[np.ndarray, "H W 3"]:
    """All slices of a series on one picture, each with what it says; those that can be read.

    Raises:
        SourceError: none can be.
    """
    said = slices_said(evidence)
    shown = thinned(said)
    pixels = read_slices(
        case, evidence, dict.fromkeys((one.index for one in shown), SHEET_PX), shades
    )
    cells = [(one, within(pixels[one.index], SHEET_PX)) for one in shown if one.index in pixels]
    if not cells:
        raise SourceError(f"case {case.id}: none of its slices can be read; put its files back")
    title = f"{case.id}: {len(cells)} of {len(said)} slices"
    return series_sheet(title, cells, of_class, pixel_um(evidence, SHEET_PX))


def pixel_um(evidence: Evidence, shown_px: int) -> float | None:
    """Width of a pixel of a picture of a slice whose longer side is `shown_px`, where known."""
    x, _, width, height = evidence.box_px[0].tolist()
    longest = max(width, height)
    um = float(evidence.position_um[0, 0]) / (x + width / 2)  # that of its middle
    return um * longest / shown_px if np.isfinite(um) and um > 0 else None


def told(one: SliceSaid) -> dict[str, Any]:
    """A slice as files of a run hold it."""
    return {
        "slice": one.number,
        "of": one.of,
        "series": one.series,
        "position_mm": one.position_mm,
        "probability": one.probability,
        "weight": one.weight,
        "rank": one.rank,
    }


def _looked(
    pixels: UInt8[np.ndarray, "H W 3"], evidence: Evidence, one: SliceSaid
) -> UInt8[np.ndarray, "_ _ 3"]:
    """With Grad-CAM where the slice decides; as it is where it has no say, or there are no maps."""
    maps = slice_maps(pixels, evidence, one.index) if one.decides else {}
    return maps.get(GRAD_CAM, enlarged(pixels))


def _slice(
    source: ImageSource, evidence: Evidence, index: int, longest_px: int, shades: Shades
) -> UInt8[np.ndarray, "_ _ 3"]:
    x, y, width, height = evidence.box_px[index].tolist()
    shrink = max(1.0, max(width, height) / longest_px)
    size_px = max(1, round(width / shrink)), max(1, round(height / shrink))
    plane = 0 if evidence.plane is None else int(evidence.plane[index])
    pixels = read_box(source, (x, y, width, height), size_px, plane)
    return as_picture(pixels, source.kind, shades)


def _sheet(
    slices: Sequence[UInt8[np.ndarray, "_ _ 3"] | None],
) -> UInt8[np.ndarray, "H W 3"]:
    """Slices in rows, each in the middle of a square; an empty square for one that is missing."""
    rows = -(-len(slices) // COLUMNS)
    sheet = np.zeros((rows * CELL_PX, min(len(slices), COLUMNS) * CELL_PX, 3), np.uint8)
    for i, pixels in enumerate(slices):
        if pixels is None:
            continue
        small = within(pixels, CELL_PX)
        top, left = (i // COLUMNS) * CELL_PX, (i % COLUMNS) * CELL_PX
        sheet[top : top + CELL_PX, left : left + CELL_PX] = small
    return sheet


def within(pixels: UInt8[np.ndarray, "H W 3"], side_px: int) -> UInt8[np.ndarray, "side side 3"]:
    """The whole picture in a black square, no larger than it is."""
    height, width = pixels.shape[:2]
    shrink = max(1.0, max(height, width) / side_px)
    small = resized(pixels, (max(1, round(width / shrink)), max(1, round(height / shrink))))
    tall, wide = small.shape[:2]
    square = np.zeros((side_px, side_px, 3), np.uint8)
    top, left = (side_px - tall) // 2, (side_px - wide) // 2
    square[top : top + tall, left : left + wide] = small
    return square
