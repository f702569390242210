"""The tiles that a model attended most and least, on one picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import UInt8

from wholecase.explain.legend import PAPER, row, ruler, text, widened

TILE_PX = 224
COLUMNS = 6
GAP_PX = 14
LETTERS_PX = 15


class ShownTile(NamedTuple):
    """A tile as the sheet shows it."""

    pixels: UInt8[np.ndarray, "h w 3"]
    rank: int
    """1 is the most attended."""
    times: float
    """How many times the average weight."""


def contact_sheet(
    title: str,
    groups: Sequence[tuple[str, Sequence[ShownTile]]],
    tile_um: float | None,
) -> UInt8[np.ndarray, "h w 3"]:
    """Groups of tiles below each other, each tile with its rank and weight, and a ruler in µm.

    Args:
        title: first line of the sheet.
        groups: heading and tiles; a group without tiles is left out.
        tile_um: width of a tile; without it there is no ruler.
    """
    rows = [row([text(title, LETTERS_PX + 4)], LETTERS_PX + 4)]
    for heading, tiles in groups:
        if not tiles:
            continue
        rows.append(row([text(heading, LETTERS_PX)], LETTERS_PX))
        starts = range(0, len(tiles), COLUMNS)
        rows += [_tiles(tiles[start : start + COLUMNS]) for start in starts]
    if tile_um:
        scale = ruler(TILE_PX / 2, tile_um / TILE_PX, LETTERS_PX, "µm")
        rows.append(row(scale, LETTERS_PX))
    width = max(one.shape[1] for one in rows)
    return np.vstack([widened(one, width) for one in rows])


def caption(tile: ShownTile) -> str:
    """What stands below a tile.

    >>> caption(ShownTile(np.zeros((1, 1, 3), np.uint8), 2, 31.4159))
    'no. 2: 31.4 x average'
    """
    return f"no. {tile.rank}: {tile.times:.3g} x average"


def _tiles(tiles: Sequence[ShownTile]) -> UInt8[np.ndarray, "h w 3"]:
    height = TILE_PX + 2 * LETTERS_PX
    cells = []
    for tile in tiles:
        cell = np.full((height, TILE_PX + GAP_PX, 3), PAPER, np.uint8)
        tall, wide = tile.pixels.shape[:2]
        cell[:tall, GAP_PX : GAP_PX + wide] = tile.pixels
        words = text(caption(tile), LETTERS_PX)[:, :TILE_PX]
        cell[TILE_PX:, GAP_PX : GAP_PX + words.shape[1]] = words
        cells.append(cell)
    return np.hstack([*cells, np.full((height, GAP_PX, 3), PAPER, np.uint8)])
