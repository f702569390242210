"""Pictures beside each other, with words below each."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from wholecase.explain.legend import PAPER, text

GAP_PX, LETTERS_PX = 10, 15


def picture_row(
    shown: Sequence[tuple[str, UInt8[np.ndarray, "_ _ 3"]]],
) -> UInt8[np.ndarray, "h w 3"]:
    """A row of at least one picture, all at the top; words that are too long are cut.

    >>> picture_row([("a", np.zeros((20, 40, 3), np.uint8))] * 2).shape
    (50, 90, 3)
    """
    tall = max(pixels.shape[0] for _, pixels in shown)
    cells = []
    for words, pixels in shown:
        high, wide = pixels.shape[:2]
        cell = np.full((tall + 2 * LETTERS_PX, wide, 3), PAPER, np.uint8)
        cell[:high] = pixels
        told = text(words, LETTERS_PX)[:, :wide]
        cell[tall:, : told.shape[1]] = told
        cells.append(cell)
    gaps = [np.pad(c, ((0, 0), (GAP_PX, 0), (0, 0)), constant_values=PAPER) for c in cells[1:]]
    return np.hstack([cells[0], *gaps])
