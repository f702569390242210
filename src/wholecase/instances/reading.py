"""Instances as a stream of pixels, in the order in which the file holds them."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64, Shaped

from wholecase.instances.instances import Instances
from wholecase.sources import ImageSource, band_columns, level_for, read_box_into


def stream(
    source: ImageSource, instances: Instances, batch: int = 64
) -> Iterator[tuple[Int64[np.ndarray, " n"], Shaped[np.ndarray, "n side side channels"]]]:
    """Every instance once, in batches of (indices into `instances`, pixels of the source's kind).

    The pixels of an instance do not depend on the batch or on what else is read.

    Raises:
        SourceError: a region cannot be decoded; names its position.
    """
    order = file_order(source, instances)
    size_px = instances.side_px, instances.side_px
    for start in range(0, len(order), batch):
        indices = order[start : start + batch]
        boxes, planes = instances.box_px[indices].tolist(), instances.planes[indices].tolist()
        pixels = np.empty((len(indices), *size_px, source.kind.channels), source.kind.dtype)
        # one after the other into its place: what was just read is still in the cache
        for row, (box, plane) in enumerate(zip(boxes, planes, strict=True)):
            read_box_into(pixels[row], source, tuple(box), plane)
        yield indices, pixels


def file_order(source: ImageSource, instances: Instances) -> Int64[np.ndarray, " N"]:
    """Indices by slice, by level, then by stored tile (row by row), then from left to right.

    Neighbours on disk are read one after the other, so that a decoded tile serves all instances
    that lie on it; of a slide that is too wide to keep two rows of tiles, band after band.
    """
    x, y, width, height = instances.box_px.T
    ratio = np.minimum(width, height) / instances.side_px
    level = np.array([level_for(source.levels, r) for r in ratio.tolist()], np.int64)
    factor = np.array([one.downsample for one in source.levels])[level]
    tile_px = source.header.stored_tile_px or (source.levels[0].width_px, 1)
    column, row = x // (factor * tile_px[0]), y // (factor * tile_px[1])
    band = column // band_columns(tile_px)
    return np.lexsort((x, y, column, row, band, level, instances.planes)).astype(np.int64)
