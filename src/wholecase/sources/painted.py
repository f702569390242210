"""Slides that are painted from the tiles that their files store."""

import numpy as np
from jaxtyping import UInt8

from wholecase.sources.mosaic import Painter
from wholecase.sources.source import ImageSource


class PaintedSource(ImageSource):
    """Regions on white; tiles that the file leaves out are white as well.

    Who opens one sets `header` and `_painter`.
    """

    _painter: Painter
    _closed = False

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> UInt8[np.ndarray, "H W 3"]:
        """The region, tile by tile."""
        region = np.empty((height_px, width_px, 3), np.uint8)
        self.read_into(region, x_px, y_px, level, plane)
        return region

    def read_into(
        self,
        place: UInt8[np.ndarray, "H W 3"],
        x_px: int,
        y_px: int,
        level: int = 0,
        plane: int = 0,
    ) -> None:
        """The same, tile by tile into its place."""
        if self._closed:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        self._painter.paint(place, x_px, y_px, level)

    def close(self) -> None:
        """Forget the tiles; the next reading is refused."""
        self._closed = True
        self._painter.forget()
