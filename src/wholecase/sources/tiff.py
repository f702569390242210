"""A TIFF slide, tile by tile: OME-TIFF, SubIFD pyramids, compressions that OpenSlide refuses."""

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import SourceError
from wholecase.sources.bytes_of import BytesOf
from wholecase.sources.damage import damage
from wholecase.sources.fitting import fitted
from wholecase.sources.mosaic import Painter
from wholecase.sources.painted import PaintedSource
from wholecase.sources.samples import Window, refuse_unknown_range, refuse_window, to_rgb
from wholecase.sources.source import Header
from wholecase.sources.spacing_rungs import climb
from wholecase.sources.tiff_levels import TiffLevel, read_slide
from wholecase.sources.tiff_planes import Plane

MOST_LOOKED_AT = 16
"""Tiles that are decoded to see the range of their samples."""


@final
class TiffSource(PaintedSource):
    """The largest image of a TIFF; its tiles or strips are decoded where they are asked for.

    Args:
        path: the file.
        mpp: the manifest's spacing; goes before the file's own.
        window: the manifest's black and white among samples of more than 8 bits.
    """

    def __init__(self, path: Path, mpp: float | None = None, window: Window | None = None) -> None:
        self._path, self._window = path, window
        with damage(f"{path}: damaged or unusual TIFF"):
            slide = read_slide(path)
            self._file = BytesOf(path)
        self._levels = slide.levels
        kept = fitted(path, "tiff", [level.mosaic for level in slide.levels], self._tile)
        self._levels = tuple(_sized(slide.levels[number], size_px) for number, size_px in kept)
        self._painter = Painter([level.mosaic for level in self._levels], self._tile)
        found = climb(mpp, slide.rungs)
        tile_px = self._levels[0].mosaic.tile_px
        levels, notes = self._painter.levels, slide.notes
        self.header = Header(path, levels, found.spacing, found.note, tile_px, notes, reader="tiff")
        try:
            self._check_range()
        except SourceError:
            self._file.close()
            raise

    def close(self) -> None:
        """Give the file back."""
        super().close()
        self._file.close()

    def _tile(self, level: int, tile: int) -> UInt8[np.ndarray, "h w 3"] | None:
        one = self._levels[level]
        try:
            if not all(plane.counts[tile] for plane in one.planes):
                return None
            samples = self._samples(one, tile)
            return to_rgb(samples, one.bits or 16, inverted=one.inverted, window=self._window)
        except Exception:  # told here, so that a tile that is whole pays nothing for it
            x, y = one.mosaic.corners_px[tile].tolist()
            place = f"tile {tile} at ({x}, {y}), level {level}"
            with damage(f"{self._path}: {place}, cannot be decoded"):
                raise

    def _check_range(self) -> None:
        # by some tiles of the coarsest level, from all over it; a damaged one costs itself, later
        one = self._levels[-1]
        if not one.deep:
            refuse_window(self._path, self._window)
        if not one.deep or self._window is not None:
            return
        stored = [
            n for n in range(len(one.mosaic.corners_px)) if all(p.counts[n] for p in one.planes)
        ]
        looked_at = stored[:: max(1, len(stored) // MOST_LOOKED_AT)]
        seen = []
        for number in looked_at:
            with contextlib.suppress(SourceError), damage(f"{self._path}: damaged"):
                seen.append(self._samples(one, number)[..., : min(one.samples, 3)].ravel())
        if seen:
            refuse_unknown_range(self._path, np.concatenate(seen), one.bits)

    def _samples(self, one: TiffLevel, tile: int) -> np.ndarray:
        planes = [self._stored(plane, tile) for plane in one.planes]
        together = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=2)
        return together if together.shape[2] == one.samples else together[..., : one.samples]

    def _stored(self, plane: Plane, tile: int) -> np.ndarray:
        data = self._file.read(int(plane.offsets[tile]), int(plane.counts[tile]))
        return plane.decode(data, plane.first + tile)


def _sized(level: TiffLevel, size_px: tuple[int, int]) -> TiffLevel:
    """The level without what fills it up to whole tiles."""
    mosaic = replace(level.mosaic, width_px=size_px[0], height_px=size_px[1])
    return replace(level, mosaic=mosaic)
