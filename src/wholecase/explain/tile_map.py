"""One number per tile becomes a picture of numbers, at the size of the thumbnail."""

import numpy as np
from jaxtyping import Float, Int64


def tile_map(
    box_px: Int64[np.ndarray, "N 4"],
    values: Float[np.ndarray, " N"],
    downsample: float,
    shape: tuple[int, int],
) -> Float[np.ndarray, "H W"]:
    """The value of the tile in which each thumbnail pixel has its centre; nan outside all tiles.

    Boxes are x, y, width, height in level-0 pixels; `shape` is height and width of the thumbnail,
    one pixel of which is `downsample` level-0 pixels. Where tiles overlap, their mean is shown.
    """
    drawn = _from_grid(box_px, values, downsample, shape)
    return _by_box(box_px, values, downsample, shape) if drawn is None else drawn


def _from_grid(
    box_px: Int64[np.ndarray, "N 4"],
    values: Float[np.ndarray, " N"],
    downsample: float,
    shape: tuple[int, int],
) -> Float[np.ndarray, "H W"] | None:
    """All tiles at once, by looking each pixel up; None where the tiles form no regular grid."""
    if (np.ptp(box_px[:, 2:], axis=0) > 1).any():
        return None
    (left, step_x, column), (top, step_y, row) = (
        _axis(box_px[:, a], int(box_px[0, a + 2])) for a in (0, 1)
    )
    if not (step_x and step_y):
        return None
    # a margin of nan on all sides, into which every pixel beyond the grid is clipped
    grid = np.full((int(row.max()) + 3, int(column.max()) + 3), np.nan)
    grid[row + 1, column + 1] = values
    if np.isfinite(grid).sum() != len(values):
        return None  # two tiles in one place
    at_x = np.floor(((np.arange(shape[1]) + 0.5) * downsample - left) / step_x).astype(np.int64)
    at_y = np.floor(((np.arange(shape[0]) + 0.5) * downsample - top) / step_y).astype(np.int64)
    rows = np.clip(at_y + 1, 0, grid.shape[0] - 1)
    drawn: Float[np.ndarray, "H W"] = grid[
        rows[:, None], np.clip(at_x + 1, 0, grid.shape[1] - 1)[None]
    ]
    return drawn


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
) -> Float[np.ndarray, "H W"]:
    total, count = np.zeros(shape), np.zeros(shape)
    first = np.ceil(box_px[:, :2] / downsample - 0.5).astype(np.int64)
    last = np.ceil((box_px[:, :2] + box_px[:, 2:]) / downsample - 0.5).astype(np.int64)
    last = np.maximum(last, first + 1)  # the smallest tile is a pixel
    first, last = np.maximum(first, 0), np.maximum(last, 0)
    for (x0, y0), (x1, y1), value in zip(first, last, values, strict=True):
        total[y0:y1, x0:x1] += value
        count[y0:y1, x0:x1] += 1
    mean = np.full(shape, np.nan)
    np.divide(total, count, out=mean, where=count > 0)
    return mean
