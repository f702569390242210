"""A whole-slide image through OpenSlide."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import final

import numpy as np
import openslide
from jaxtyping import UInt8

from wholecase.core.errors import SourceError
from wholecase.sources.claims import tiff_claims
from wholecase.sources.marks import is_tiff
from wholecase.sources.pyramid import confirmed
from wholecase.sources.samples import Window, on_white, refuse_window
from wholecase.sources.source import Header, ImageSource, Level
from wholecase.sources.spacing_rungs import climb, slide_rungs


@final
class OpenSlideSource(ImageSource):
    """A pyramid on disk; the manifest's spacing, where given, goes before the file's own."""

    def __init__(self, path: Path, mpp: float | None = None, window: Window | None = None) -> None:
        refuse_window(path, window)
        self._path = path
        self._closed = False
        # it ends the process where a tile is too large, and makes up those that are not stored
        notes = tiff_claims(path, vendor_of(path)) if is_tiff(path) else ()
        self._process = os.getpid()
        self._handle: openslide.OpenSlide | None = _open(self._path)
        properties = dict(self._handle.properties)
        stored = _levels(self._handle)
        self._numbers = confirmed(path, stored, self._region)
        levels = tuple(stored[number] for number in self._numbers)
        found = climb(mpp, slide_rungs(properties))
        tile_px = _stored_tile(properties)
        self.header = Header(
            path, levels, found.spacing, found.note, tile_px, notes, reader="openslide"
        )
        self.scanned_px = _scanned(properties)
        """x, y, width, height of what was scanned; None where the file does not tell.

        The rest of level 0 is empty, and viewers such as QuPath cut it off.
        """

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The region on white; a damaged one costs its handle, not the next reading."""
        self.check_place(level, plane)
        return self._region(x_px, y_px, width_px, height_px, self._numbers[level])

    def _region(
        self, x_px: int, y_px: int, width_px: int, height_px: int, number: int
    ) -> UInt8[np.ndarray, "H W 3"]:
        # `number` is the file's own of the level
        handle = self._live_handle()
        try:
            region = handle.read_region((x_px, y_px), number, (width_px, height_px))
        except openslide.OpenSlideError as error:
            # a handle refuses everything after its first error: the next read gets a new one
            self._drop()
            raise SourceError(
                f"{self._path}: the region of {width_px} x {height_px} px at ({x_px}, {y_px}), "
                f"level {number}, cannot be decoded ({error}); fetch or export the slide again"
            ) from error
        return on_white(np.asarray(region))

    def close(self) -> None:
        """Close the handle."""
        self._closed = True
        self._drop()

    def _live_handle(self) -> openslide.OpenSlide:
        if self._closed:
            raise ValueError(f"{self._path} is closed")
        # a forked child shares the parent's file position and must open the file itself
        if self._handle is None or self._process != os.getpid():
            self._handle, self._process = _open(self._path), os.getpid()
        return self._handle

    def _drop(self) -> None:
        if self._handle is not None:
            self._handle.close()
        self._handle = None


def vendor_of(path: Path) -> str | None:
    """What OpenSlide takes the file for, None where it knows it not; it may still refuse it."""
    vendor: str | None = openslide.OpenSlide.detect_format(path)
    return vendor


def _levels(handle: openslide.OpenSlide) -> tuple[Level, ...]:
    sizes = zip(handle.level_dimensions, handle.level_downsamples, strict=True)
    return tuple(Level(width, height, float(down)) for (width, height), down in sizes)


def _stored_tile(properties: Mapping[str, str]) -> tuple[int, int] | None:
    sides = [properties.get(f"openslide.level[0].tile-{side}") for side in ("width", "height")]
    return (int(sides[0]), int(sides[1])) if sides[0] and sides[1] else None


def _scanned(properties: Mapping[str, str]) -> tuple[int, int, int, int] | None:
    sides = [properties.get(f"openslide.bounds-{side}") for side in ("x", "y", "width", "height")]
    if not all(sides):
        return None
    x, y, width, height = (int(side) for side in sides if side)
    return x, y, width, height


def _open(path: Path) -> openslide.OpenSlide:
    try:
        return openslide.OpenSlide(path)
    except openslide.OpenSlideError as error:
        reason = str(error).removeprefix(f"Reading {path}: ")
        raise SourceError(
            f"{path}: OpenSlide cannot open it ({reason}); fetch the file again, or convert it to "
            f"a tiled, pyramidal TIFF"
        ) from error
