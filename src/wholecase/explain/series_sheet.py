"""A series on one picture: all slices in their order, with what each says by itself."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import UInt8

from wholecase.explain.legend import FAINT, PAPER, legend, row, ruler, text, widened
from wholecase.explain.series import SliceSaid

CELL_PX, COLUMNS, GAP_PX, LETTERS_PX = 128, 8, 10, 13
BAR_PX, FRAME_PX = 10, 4
SAYS, DECIDES = (0, 114, 178), (230, 159, 0)
"""Blue and orange of Okabe & Ito (2008): told apart by the colour-blind, and in print."""
Pixels = UInt8[np.ndarray, "_ _ 3"]


def series_sheet(
    title: str, slices: Sequence[tuple[SliceSaid, Pixels]], of_class: str, pixel_um: float | None
) -> UInt8[np.ndarray, "h w 3"]:
    """Slices in rows, each with its number, its probability alone as a bar, and its rank.

    Args:
        title: first line of the sheet.
        slices: in their order, each with a picture of `CELL_PX` squared.
        of_class: whose probability it is.
        pixel_um: width of a picture's pixel; without it there is no ruler.
    """
    starts = range(0, len(slices), COLUMNS)
    rows = [row([text(title, LETTERS_PX + 4)], LETTERS_PX + 4)]
    rows += [_cells(slices[start : start + COLUMNS]) for start in starts]
    if any(one.probability is not None for one, _ in slices):
        words = text(f"probability of {of_class}, of the slice alone, 0 to 1", LETTERS_PX)
        rows.append(row([_swatch(SAYS), words], LETTERS_PX))
    rows.append(row([_swatch(DECIDES), text("decides, with its rank", LETTERS_PX)], LETTERS_PX))
    if pixel_um:
        rows.append(row(ruler(CELL_PX / 2, pixel_um, LETTERS_PX), LETTERS_PX))
    width = max(one.shape[1] for one in rows)
    return np.vstack([widened(one, width) for one in rows])


def leading_sheet(
    title: str, slices: Sequence[tuple[SliceSaid, Sequence[Pixels]]], pixel_um: float | None
) -> UInt8[np.ndarray, "h w 3"]:
    """Slices below each other, each with its maps beside it and what it says below.

    `pixel_um` is the width of a pixel of the pictures; without it there is no ruler.
    """
    rows = [row([text(title, LETTERS_PX + 4)], LETTERS_PX + 4)]
    for one, pictures in slices:
        beside = [np.pad(p, ((0, 0), (GAP_PX, 0), (0, 0)), constant_values=PAPER) for p in pictures]
        rows += [np.hstack(beside), row([text(caption(one), LETTERS_PX)], LETTERS_PX)]
    rows.append(legend(slices[0][1][0].shape[1], "nothing", "most of the slice", pixel_um))
    width = max(one.shape[1] for one in rows)
    return np.vstack([widened(one, width) for one in rows])


def caption(one: SliceSaid) -> str:
    """What stands below a slice.

    >>> caption(SliceSaid(4, 5, 30, None, 22.5, 0.8, 1.0, 1))
    'no. 1: slice 5 of 30, at 22.5 mm; alone 0.800; 100 % of the decision'
    """
    alone = "" if one.probability is None else f"; alone {one.probability:.3f}"
    share = f"; {100 * one.weight:.0f} % of the decision" if one.decides else "; has no say"
    return f"no. {one.rank}: {one.place}{alone}{share}"


def _cells(slices: Sequence[tuple[SliceSaid, Pixels]]) -> UInt8[np.ndarray, "h w 3"]:
    cells = [_cell(one, pixels) for one, pixels in slices]
    padded = [np.pad(c, ((0, GAP_PX), (GAP_PX, 0), (0, 0)), constant_values=PAPER) for c in cells]
    return np.hstack(padded)


def _cell(one: SliceSaid, pixels: Pixels) -> UInt8[np.ndarray, "h w 3"]:
    side = CELL_PX + 2 * FRAME_PX
    cell = np.full((side + BAR_PX + FRAME_PX + 2 * LETTERS_PX, side, 3), PAPER, np.uint8)
    if one.decides:
        cell[:side] = DECIDES
    cell[FRAME_PX : FRAME_PX + CELL_PX, FRAME_PX : FRAME_PX + CELL_PX] = pixels
    words = f"no. {one.rank}: {one.number}" if one.decides else str(one.number)
    if one.probability is not None:
        bar = cell[side + FRAME_PX : side + FRAME_PX + BAR_PX]
        bar[:] = FAINT
        bar[:, : round(side * one.probability)] = DECIDES if one.decides else SAYS
        words += f"  {one.probability:.2f}"
    told = text(words, LETTERS_PX)[:, :side]
    cell[-2 * LETTERS_PX :, : told.shape[1]] = told
    return cell


def _swatch(colour: tuple[int, int, int]) -> UInt8[np.ndarray, "h w 3"]:
    piece = np.full((2 * LETTERS_PX, 2 * LETTERS_PX, 3), PAPER, np.uint8)
    piece[LETTERS_PX // 2 : -(LETTERS_PX // 2)] = colour
    return piece
