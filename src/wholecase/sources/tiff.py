"""A TIFF slide, tile by tile: OME-TIFF, SubIFD pyramids, compressions that OpenSlide refuses."""

from dataclasses import replace
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8

from wholecase.sources.bytes_of import BytesOf
from wholecase.sources.damage import damage
from wholecase.sources.fitting import fitted
from wholecase.sources.ladder import Rung, climb
from wholecase.sources.mosaic import Painter
from wholecase.sources.samples import to_rgb
from wholecase.sources.source import ImageSource, Level, Spacing
from wholecase.sources.tiff_levels import TiffLevel, read_slide
from wholecase.sources.tiff_planes import Plane


@final
class TiffSource(ImageSource):
    """The largest image of a TIFF; its tiles or strips are decoded where they are asked for.

    Args:
        path: the file.
        mpp: the manifest's spacing; goes before the file's own.
    """

    def __init__(self, path: Path, mpp: float | None = None) -> None:
        self._path, self._closed = path, False
        with damage(f"{path}: damaged or unusual TIFF"):
            slide = read_slide(path)
            self._file = BytesOf(path)
        self._levels, self._notes = slide.levels, slide.notes
        kept = fitted(path, "tiff", [level.mosaic for level in slide.levels], self._tile)
        self._levels = tuple(_sized(slide.levels[number], size_px) for number, size_px in kept)
        self._painter = Painter([level.mosaic for level in self._levels], self._tile)
        manifest = [] if mpp is None else [Rung("manifest", mpp, mpp)]
        self._found = climb([*manifest, *slide.rungs])

    @property
    def path(self) -> Path:
        """The file, for messages."""
        return self._path

    @property
    def levels(self) -> tuple[Level, ...]:
        """The pyramid, finest first."""
        return self._painter.levels

    @property
    def spacing(self) -> Spacing | None:
        """The first believable rung of the ladder, or None."""
        return self._found.spacing

    @property
    def spacing_note(self) -> str:
        """What was not believed, or why there is no spacing."""
        return self._found.note

    @property
    def notes(self) -> tuple[str, ...]:
        """Tiles that the file leaves out."""
        return self._notes

    @property
    def stored_tile_px(self) -> tuple[int, int] | None:
        """The tiles of level 0, or its strips."""
        return self._levels[0].mosaic.tile_px

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The region on white; tiles that the file leaves out are white as well."""
        if self._closed:
            raise ValueError(f"{self._path} is closed")
        if not 0 <= level < len(self.levels):
            raise ValueError(f"{self._path} has {len(self.levels)} levels, no level {level}")
        return self._painter.read(x_px, y_px, width_px, height_px, level)

    def close(self) -> None:
        """Give the file back."""
        self._closed = True
        self._painter.forget()
        self._file.close()

    def _tile(self, level: int, tile: int) -> UInt8[np.ndarray, "h w 3"] | None:
        one = self._levels[level]
        with damage(f"{self._path}: tile {tile} of level {level} cannot be decoded"):
            if not all(plane.counts[tile] for plane in one.planes):
                return None
            planes = [self._samples(plane, tile) for plane in one.planes]
            samples = np.concatenate(planes, axis=2)[..., : one.samples]
            return to_rgb(samples, one.bits, inverted=one.inverted)

    def _samples(self, plane: Plane, tile: int) -> np.ndarray:
        data = self._file.read(int(plane.offsets[tile]), int(plane.counts[tile]))
        values, _, _ = plane.decode(data, plane.first + tile, jpegtables=plane.tables)
        samples: np.ndarray = values[0]  # of one section only
        return samples


def _sized(level: TiffLevel, size_px: tuple[int, int]) -> TiffLevel:
    """The level without what fills it up to whole tiles."""
    mosaic = replace(level.mosaic, width_px=size_px[0], height_px=size_px[1])
    return replace(level, mosaic=mosaic)
