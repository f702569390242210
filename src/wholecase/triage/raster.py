"""Where windows lie over an image that is judged everywhere, and what each speaks for."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from wholecase.core.errors import NoTissueError, RunError, SpacingError
from wholecase.instances.grid import MOST_UPSAMPLING
from wholecase.instances.outline import tissue_picture
from wholecase.instances.share import covered_share
from wholecase.instances.tissue import Tissue
from wholecase.sources import ABOUT_EQUAL, ImageSource, level_for

LEAST_TOUCH = 1e-7
"""Shares below this are the last digits of large sums, and mean: not at all."""


@dataclass(frozen=True)
class Raster:
    """Cells of `stride_px` that tile an image, each in the middle of a window of `side_px`.

    Window pixels have one spacing; cells meet, windows overlap and reach beyond the image.
    """

    size_px: tuple[int, int]
    """Width and height of the image at level 0."""
    spacing_um: float
    """µm per level-0 pixel."""
    factor: float
    """Level-0 pixels per window pixel."""
    side_px: int
    stride_px: int

    @property
    def step(self) -> float:
        """Side of a cell in level-0 pixels."""
        return self.stride_px * self.factor

    @property
    def cell_um(self) -> float:
        """Side of a cell in µm."""
        return self.step * self.spacing_um

    @property
    def margin_px(self) -> int:
        """What a window sees around its cell on each side, in window pixels."""
        return (self.side_px - self.stride_px) // 2

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of cells: those whose middle lies in the image, at least one."""
        width, height = self.size_px
        return max(1, round(height / self.step)), max(1, round(width / self.step))

    def edges(self) -> tuple[Int64[np.ndarray, " rows_1"], Int64[np.ndarray, " columns_1"]]:
        """Where rows and columns begin and end, in whole level-0 pixels within the image.

        Each is rounded by itself, so that cells meet and the last one has not drifted.
        """
        width, height = self.size_px
        rows, columns = (np.rint(np.arange(n + 1) * self.step).astype(np.int64) for n in self.shape)
        return np.minimum(rows, height), np.minimum(columns, width)

    def cells(self) -> Int64[np.ndarray, "N 4"]:
        """x, y, width, height of all cells in level-0 pixels, row by row."""
        rows, columns = self.edges()
        top, left = np.meshgrid(rows[:-1], columns[:-1], indexing="ij")
        height, width = np.meshgrid(np.diff(rows), np.diff(columns), indexing="ij")
        return np.stack([left, top, width, height], axis=-1).reshape(-1, 4)

    def areas_mm2(self) -> Float64[np.ndarray, "rows columns"]:
        """Area of each cell."""
        rows, columns = (np.diff(edge).astype(np.float64) for edge in self.edges())
        return np.outer(rows, columns) * (self.spacing_um / 1000) ** 2

    def box(self, rows: tuple[int, int], columns: tuple[int, int]) -> tuple[int, int, int, int]:
        """x, y, width, height at level 0 of the windows of a rectangle of cells, ends excluded."""
        (left, width), (top, height) = (self._reach(*span) for span in (columns, rows))
        return left, top, width, height

    def pixels_of(self, cells: int) -> int:
        """Side of what the windows of so many neighbouring cells cover, in window pixels."""
        return cells * self.stride_px + 2 * self.margin_px

    def _reach(self, first: int, end: int) -> tuple[int, int]:
        start = round((first * self.stride_px - self.margin_px) * self.factor)
        return start, max(1, round(self.pixels_of(end - first) * self.factor))


def check_stride(side_px: int, stride_px: int) -> None:
    """Refuse cells that have no place in the middle of a window.

    Raises:
        RunError: the stride is too small, larger than a window, or odd where it is even.
    """
    if not 1 <= stride_px <= side_px or (side_px - stride_px) % 2:
        raise RunError(
            f"a stride of {stride_px} px has no place in the middle of windows of {side_px}; give "
            f"an {'odd' if side_px % 2 else 'even'} number from {2 - side_px % 2} to {side_px}"
        )


def raster_of(
    source: ImageSource, *, side_px: int, spacing_um: float | int, stride_px: int
) -> Raster:
    """The raster of an image for windows of that side and spacing.

    A level within 1 % of the spacing is taken as it is, without resampling, as `Grid` does.

    Raises:
        SpacingError: the image tells no spacing, or is too coarse.
        RunError: cells of that stride have no place in the middle of such windows.
    """
    check_stride(side_px, stride_px)
    if source.spacing is None:
        raise SpacingError(
            f"{source.path}: spacing unknown ({source.header.spacing_note}); give it in µm "
            f"per pixel in the manifest's column mpp"
        )
    own = source.spacing.um
    # a hair of room for 0.55 / 0.5
    if own > spacing_um * (1 + MOST_UPSAMPLING) + 1e-9:
        raise SpacingError(
            f"{source.path}: its finest {own:g} µm/px (from {source.spacing.rung}) are too coarse "
            f"for a model trained at {spacing_um:g}; scan it finer, or correct the manifest's "
            f"column mpp if the file is wrong"
        )
    asked = spacing_um / own
    stored = source.levels[level_for(source.levels, asked)].downsample
    factor = stored if abs(stored - asked) <= ABOUT_EQUAL * asked else asked
    level = source.levels[0]
    return Raster((level.width_px, level.height_px), own, factor, side_px, stride_px)


def touched(
    source: ImageSource, raster: Raster, tissue: Tissue
) -> Bool[np.ndarray, "rows columns"]:
    """The cells that tissue touches.

    Raises:
        NoTissueError: there is none.
    """
    share = covered_share(tissue.mask, raster.size_px, raster.cells())
    there: Bool[np.ndarray, "rows columns"] = (share > LEAST_TOUCH).reshape(raster.shape)
    if not there.any():
        raise NoTissueError(
            f"{source.path}: no tissue was found; outline it by hand in the manifest's column "
            f"tissue, or leave the image out",
            picture=tissue_picture(tissue),
        )
    return there
