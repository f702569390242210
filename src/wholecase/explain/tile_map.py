"""One number per tile becomes strips of a picture of numbers, looked up on the tiles' own grid."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64

STRIP_PIXELS = 2**18
"""Of one strip: what is worked on at once stays in the processor's cache."""


class Strip(NamedTuple):
    """The values of some rows of a picture."""

    start: int
    stop: int
    """The rows, `stop` excluded."""
    values: Float[np.ndarray, "h W"]
    """nan outside all tiles; h is 1 where all rows of the strip are alike."""


class Grid(NamedTuple):
    """Tiles on a regular grid, and the cell in which each row and column of a picture lies."""

    cells: Float[np.ndarray, "r c"]
    """nan where there is no tile, and in a margin of one cell on all sides."""
    rows: Int64[np.ndarray, " H"]
    columns: Int64[np.ndarray, " W"]


def strips(
    box_px: Int64[np.ndarray, "N 4"],
    values: Float[np.ndarray, " N"],
    downsample: float,
    shape: tuple[int, int],
) -> Iterator[Strip]:
    """The value of the tile in which each picture pixel has its centre, from the top down.

    Boxes are x, y, width, height in level-0 pixels; `shape` is height and width of the picture,
    one pixel of which is `downsample` level-0 pixels. Where tiles overlap, their mean is shown.
    """
    height = max(1, STRIP_PIXELS // shape[1])
    grid = tile_grid(box_px, values, downsample, shape)
    if grid is None:
        yield from _by_box(box_px, values, downsample, shape, height)
        return
    changes = np.flatnonzero(np.diff(grid.rows)) + 1
    ends = np.unique(np.concatenate([changes, np.arange(0, shape[0], height), shape[:1]]))
    for start, stop in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        yield Strip(start, stop, grid.cells[grid.rows[start], grid.columns][None])


def tile_grid(
    box_px: Int64[np.ndarray, "N 4"],
    values: Float[np.ndarray, " N"],
    downsample: float,
    shape: tuple[int, int],
) -> Grid | None:
    """The tiles as a small picture, a pixel each; None where they form no regular grid."""
    if (np.ptp(box_px[:, 2:], axis=0) > 1).any():
        return None
    (left, step_x, column), (top, step_y, row) = (
        _axis(box_px[:, a], int(box_px[0, a + 2])) for a in (0, 1)
    )
    if not (step_x and step_y):
        return None
    # a margin of nan on all sides, into which every pixel beyond the grid is clipped
    cells = np.full((int(row.max()) + 3, int(column.max()) + 3), np.nan)
    cells[row + 1, column + 1] = values
    if np.isfinite(cells).sum() != len(values):
        return None  # two tiles in one place
    at_x = np.floor(((np.arange(shape[1]) + 0.5) * downsample - left) / step_x).astype(np.int64)
    at_y = np.floor(((np.arange(shape[0]) + 0.5) * downsample - top) / step_y).astype(np.int64)
    return Grid(
        cells=cells,
        rows=np.clip(at_y + 1, 0, cells.shape[0] - 1),
        columns=np.clip(at_x + 1, 0, cells.shape[1] - 1),
    )


def _axis(
    starts: Int64[np.ndarray, " N"], side: int
) -> tuple[float, float, Int64[np.ndarray, " N"]]:
    """Origin, step and index along one axis; step 0 where the starts are not evenly spaced.

    Starts may be a pixel off: a tile of 0.5 µm/px is rarely a whole number of level-0 pixels.
    """
    gaps = np.diff(np.unique(starts))
    single = gaps[np.abs(gaps - side) <= 1]  # wider ones are holes in the tissue
    step = float(single.mean()) if len(single) else float(side)
    origin = float(starts.min())
    index = np.round((starts - origin) / step).astype(np.int64)
    even = np.abs(origin + index * step - starts).max() <= 1
    return origin, step if even else 0.0, index


def _by_box(
    box_px: Int64[np.ndarray, "N 4"],
    values: Float[np.ndarray, " N"],
    downsample: float,
    shape: tuple[int, int],
    height: int,
) -> Iterator[Strip]:
    first = np.ceil(box_px[:, :2] / downsample - 0.5).astype(np.int64)
    last = np.ceil((box_px[:, :2] + box_px[:, 2:]) / downsample - 0.5).astype(np.int64)
    last = np.maximum(last, first + 1)  # the smallest tile is a pixel
    first, last = np.maximum(first, 0), np.maximum(last, 0)
    for start in range(0, shape[0], height):
        stop = min(start + height, shape[0])
        here = np.flatnonzero((first[:, 1] < stop) & (last[:, 1] > start))
        total, count = np.zeros((2, stop - start, shape[1]))
        for (x0, y0), (x1, y1), value in zip(first[here], last[here], values[here], strict=True):
            rows = slice(max(int(y0) - start, 0), int(y1) - start)
            total[rows, x0:x1] += value
            count[rows, x0:x1] += 1
        mean = np.full(total.shape, np.nan)
        np.divide(total, count, out=mean, where=count > 0)
        yield Strip(start, stop, mean)
