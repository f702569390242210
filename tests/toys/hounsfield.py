"""A series in Hounsfield units: what a scanner gives, small, and what is in it can be computed."""

from pathlib import Path
from typing import final

import numpy as np

from wholecase.core.kinds import CT
from wholecase.sources import Header, ImageSource, Level, Spacing, Window

LOWEST_UM, THICK_UM = -1e5, 5000.0


def volume(seed: int, slices: int, height: int, width: int) -> np.ndarray:
    """HU of air to bone, and of what pads a scanner's circle and of metal, which are beyond."""
    values = np.random.default_rng(seed).integers(-1024, 3072, (slices, height, width))
    values[0, 0, :2] = -2048, 32767
    return values.astype(np.int16)


@final
class HounsfieldSeries(ImageSource):
    """The slices in an `.npy` file; one is nearer to the feet than the next."""

    def __init__(self, path: Path, mpp: float | None = None, window: Window | None = None) -> None:
        assert window is None
        self._values: np.ndarray | None = np.load(path)
        count, self._height, self._width = self._values.shape
        self.header = Header(
            path=path,
            levels=(Level(self._width, self._height, 1.0),),
            spacing=None if mpp is None else Spacing(mpp, "manifest"),
            spacing_note="the toy tells no spacing",
            kind=CT,
            planes_um=tuple(LOWEST_UM + THICK_UM * z for z in range(count)),
        )

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> np.ndarray:
        if self._values is None:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        region = np.full((height_px, width_px, 1), self.kind.outside, self.kind.dtype)
        left, right = max(x_px, 0), min(x_px + width_px, self._width)
        top, bottom = max(y_px, 0), min(y_px + height_px, self._height)
        if left < right and top < bottom:
            inside = self._values[plane, top:bottom, left:right, None]
            region[top - y_px : bottom - y_px, left - x_px : right - x_px] = inside
        return region

    def close(self) -> None:
        self._values = None
