"""Overlapping windows of an image, read once: large blocks, of which windows are views."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from wholecase.sources import ImageSource, read_box
from wholecase.triage.raster import Raster

BLOCK_PX = 2048
"""Side of a block in window pixels, without its margin: 13 MB, of which 3 to 6 % are read twice."""


@dataclass(frozen=True)
class Block:
    """A rectangle of r x c cells with the pixels of all their windows."""

    row: int
    """Of its first cell."""
    column: int
    wanted: Bool[np.ndarray, "r c"]
    """The cells that are to be judged."""
    pixels: UInt8[np.ndarray, "H W 3"]
    """At the windows' spacing, margins included."""


def blocks(
    source: ImageSource, raster: Raster, wanted: Bool[np.ndarray, "rows columns"]
) -> Iterator[Block]:
    """All wanted cells, each in one block; blocks row by row, each as small as its cells allow.

    Raises:
        SourceError: a region cannot be decoded.
    """
    span = max(1, BLOCK_PX // raster.stride_px)
    for top in range(0, wanted.shape[0], span):
        for left in range(0, wanted.shape[1], span):
            part = wanted[top : top + span, left : left + span]
            if part.any():
                yield _read(source, raster, part, (top, left))


def windows(
    block: Block, raster: Raster, batch: int
) -> Iterator[tuple[Int64[np.ndarray, " n"], UInt8[np.ndarray, "n side side 3"]]]:
    """The wanted windows of a block, row by row: (indices into the raster's cells, RGB pixels)."""
    side, stride = raster.side_px, raster.stride_px
    views = sliding_window_view(block.pixels, (side, side), axis=(0, 1))[::stride, ::stride]
    views = np.moveaxis(views, 2, -1)  # [r, c, side, side, 3]
    rows, columns = np.nonzero(block.wanted)
    indices = (rows + block.row) * raster.shape[1] + columns + block.column
    for start in range(0, len(rows), batch):
        some = slice(start, start + batch)
        yield indices[some].astype(np.int64), views[rows[some], columns[some]]


def _read(
    source: ImageSource,
    raster: Raster,
    wanted: Bool[np.ndarray, "r c"],
    corner: tuple[int, int],
) -> Block:
    rows, columns = np.flatnonzero(wanted.any(axis=1)), np.flatnonzero(wanted.any(axis=0))
    kept = wanted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    top, left = corner[0] + int(rows[0]), corner[1] + int(columns[0])
    box = raster.box((top, top + kept.shape[0]), (left, left + kept.shape[1]))
    size_px = raster.pixels_of(kept.shape[1]), raster.pixels_of(kept.shape[0])
    return Block(top, left, kept, read_box(source, box, size_px))
