"""The levels of a mosaic that are proven to be levels, and what is picture of each."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from wholecase.sources.mosaic import Mosaic, Painter
from wholecase.sources.pyramid import Compared, Kept, belongs, compared, remembered, unpadded

Decode = Callable[[int, int], UInt8[np.ndarray, "h w 3"] | None]
"""A tile by level and number."""


def fitted(path: Path, reader: str, mosaics: Sequence[Mosaic], decode: Decode) -> Kept:
    """The levels that show what level 0 shows; one filled up to whole tiles loses the filling.

    A level is compared with the next finer one that counts, as it is and without filling.
    """
    return remembered(path, reader, lambda: _fitted(mosaics, decode))


def offers(mosaic: Mosaic, first: Mosaic) -> Iterator[Mosaic]:
    """What of a stored picture may be a level below the first: all of it, or without filling."""
    first_px, size_px = (first.width_px, first.height_px), (mosaic.width_px, mosaic.height_px)
    if belongs(size_px, first_px):
        yield mosaic
    if bare_px := unpadded(size_px, first_px, mosaic.tile_px):
        yield replace(mosaic, width_px=bare_px[0], height_px=bare_px[1])


def _fitted(mosaics: Sequence[Mosaic], decode: Decode) -> Kept:
    numbers, kept = [0], [mosaics[0]]
    for number, mosaic in enumerate(mosaics[1:], start=1):
        seen = [
            (look.difference, place, offer)
            for place, offer in enumerate(offers(mosaic, mosaics[0]))
            if (look := _look([*kept, offer], [*numbers, number], decode)).same
        ]
        if seen:
            numbers.append(number)
            kept.append(min(seen, key=lambda one: one[:2])[2])
    return tuple((n, (m.width_px, m.height_px)) for n, m in zip(numbers, kept, strict=True))


def _look(mosaics: list[Mosaic], numbers: list[int], decode: Decode) -> Compared:
    painter = Painter(mosaics, lambda level, tile: decode(numbers[level], tile))
    return compared(painter.levels, (len(mosaics) - 2, len(mosaics) - 1), painter.read)
