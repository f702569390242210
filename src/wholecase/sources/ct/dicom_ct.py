"""A CT series in DICOM, slice by slice."""

from collections.abc import Sequence
from contextlib import nullcontext
from functools import lru_cache
from pathlib import Path
from typing import final
from zipfile import ZipFile, is_zipfile

import numpy as np
from jaxtyping import Int16

from wholecase.core.errors import SourceError
from wholecase.core.kinds import CT
from wholecase.sources.ct.choosing import choose
from wholecase.sources.ct.hounsfield import hounsfield
from wholecase.sources.ct.ordering import Ordered, ordered
from wholecase.sources.ct.pixel_spacing import pixel_spacing
from wholecase.sources.ct.series_name import Place, places_of
from wholecase.sources.ct.slice_header import Slice, read_slices
from wholecase.sources.damage import damage
from wholecase.sources.region import region_of
from wholecase.sources.source import Header, ImageSource, Laid, Level

KEPT_SLICES = 4
"""That are decoded and kept for the next region."""
_CURE = "fetch or export the series again"


@final
class CtSeries(ImageSource):
    """A series whose slices are decoded where they are asked for.

    Args:
        path: the folder, zip or file.
        mpp: the manifest's spacing; goes before the file's own.
        wanted: number or UID of the series, where the manifest names one.
    """

    def __init__(self, path: Path, mpp: float | None, wanted: str | None) -> None:
        slices, unread = _headers(path)
        chosen = choose(path, slices, wanted)
        series = ordered(path, chosen.slices)
        _check_units(path, series.slices)
        self._slices: tuple[Slice, ...] | None = series.slices
        self._decoded = lru_cache(KEPT_SLICES)(self._decode)
        self._unpacked = lru_cache(1)(_unpacked)
        self.header = _header(path, mpp, series, (chosen.remarks, _unread(unread)))

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> Int16[np.ndarray, "H W 1"]:
        """The region of a slice in Hounsfield units, on air."""
        if self._slices is None:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        box_px = x_px, y_px, width_px, height_px
        return region_of(self._decoded(plane), box_px, CT.outside)

    def close(self) -> None:
        """Forget what was decoded."""
        self._slices = None
        self._decoded.cache_clear()
        self._unpacked.cache_clear()

    def _decode(self, plane: int) -> Int16[np.ndarray, "H W 1"]:
        assert self._slices is not None  # noqa: S101 (`read` looked)
        one = self._slices[plane]
        with damage(f"{self.path}: slice {plane} cannot be decoded", _CURE):
            # a file of many frames is unpacked once for all of them
            packed = one.place.member is not None and one.frames > 1
            return hounsfield(one, self._unpacked(one.place) if packed else None)[..., None]


def _unpacked(place: Place) -> bytes:
    with place.open() as file:
        return file.read()


def _headers(path: Path) -> tuple[list[Slice], int]:
    """Of all images that can be read, and how many could not."""
    found, unread = [], 0
    with ZipFile(path) if is_zipfile(path) else nullcontext() as packed:
        for place in places_of(path):
            try:
                found += _of(path, place, packed)
            except SourceError:
                unread += 1
    if not found and unread:
        raise SourceError(f"{path}: no file in it can be read as DICOM; {_CURE}")
    return found, unread


def _of(path: Path, place: Place, packed: ZipFile | None) -> list[Slice]:
    with damage(f"{path}: damaged", _CURE):
        return read_slices(place, packed) or []


def _unread(count: int) -> tuple[str, ...]:
    return (f"{count} damaged files are left out",) if count else ()


def _check_units(path: Path, slices: Sequence[Slice]) -> None:
    strange = {one.scale.unit for one in slices} - {"HU", "US"}
    if strange:
        raise SourceError(
            f"{path}: its numbers are no Hounsfield units by their own word; export the original "
            f"reconstruction"
        )
    if not all(one.scale.is_given for one in slices):
        raise SourceError(
            f"{path}: slices without rescale slope and intercept, so that their Hounsfield units "
            f"are unknown; export the series again with both"
        )


def _header(
    path: Path,
    mpp: float | None,
    series: Ordered,
    told: tuple[tuple[str, ...], tuple[str, ...]],
) -> Header:
    """`told` is why this series was chosen, and what could not be read."""
    first = series.slices[0]
    spacing, note = pixel_spacing(mpp, first.spacing_mm)
    remarks, notes = [*told[0], *series.remarks], [*told[1], *series.notes]
    if len({(one.scale.slope, one.scale.intercept) for one in series.slices}) > 1:
        remarks.append("slices are rescaled each by its own slope and intercept")
    if any(one.annotated for one in series.slices):
        notes.append("the files say that writing is burned in")
    return Header(
        path=path,
        levels=(Level(first.columns, first.rows, 1.0),),
        spacing=spacing,
        spacing_note=note,
        notes=tuple(notes),
        remarks=tuple(remarks),
        kind=CT,
        planes_um=series.heights_um,
        laid=_laid(series.slices),
    )


def _laid(slices: Sequence[Slice]) -> Laid | None:
    first = slices[0]
    if not all(one.is_placed for one in slices) or first.spacing_mm is None:
        return None
    rows_mm, columns_mm = first.spacing_mm
    across, down = first.directions
    places = [one.position_mm for one in slices if one.position_mm is not None]
    return Laid(np.stack(places), across * columns_mm, down * rows_mm)
