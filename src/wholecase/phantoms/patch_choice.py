"""Which squares of a drawn slide become patches, so that colour and company tell little."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8

from wholecase.phantoms.fields import fill
from wholecase.phantoms.slide import Drawn

SIDE, CENTRE = 96, 32
"""Pixels along a patch, and along its middle, of which the label speaks."""
STEP = 4
"""Patches begin at multiples of so many pixels."""
APART = 20
"""Pixels by which two patches of a slide differ at least, across or down."""
GLASS = 222
"""Grey level above which a pixel shows bare glass."""
ALIKE, BESIDE = 0.6, 0.2
"""Shares of the negatives: in a look-alike, and with tumour outside the middle."""
BORDER = 0.15
"""Share of the positives whose middle lies on the border of a tumour."""


@dataclass(frozen=True)
class Chosen:
    """The squares of one slide."""

    corners: Int64[np.ndarray, "n 2"]
    """Left and top in pixels."""
    tumour: UInt8[np.ndarray, "H W"]
    """1 inside tumour, over the whole slide."""


def choose(rng: np.random.Generator, drawn: Drawn, positives: int, negatives: int) -> Chosen:
    """Squares with tumour in the middle, then those without; fewer where there is no room."""
    tumour, lookalike = _painted(drawn, nest=True), _painted(drawn, nest=False)
    fields = _fields(drawn, tumour, lookalike)
    taken: list[tuple[int, int]] = []
    for kind, until in _turns(positives, negatives):
        for corner in _places(rng, fields[kind]):
            if len(taken) >= until:
                break
            if all(max(abs(corner[0] - x), abs(corner[1] - y)) >= APART for x, y in taken):
                taken.append(corner)
    return Chosen(np.array(taken, np.int64).reshape(-1, 2), tumour)


def _turns(positives: int, negatives: int) -> Iterator[tuple[str, int]]:
    """Sorts of patches, and how many there are to be after each; the next makes up for a lack."""
    every = positives + negatives
    alike, beside = round(ALIKE * negatives), round(BESIDE * negatives)
    yield "border", round(BORDER * positives)
    yield "tumour", positives
    yield "border", positives
    yield "beside", positives + beside
    yield "lookalike", positives + beside + alike
    yield "ordinary", every
    yield "lookalike", every


def _painted(drawn: Drawn, *, nest: bool) -> UInt8[np.ndarray, "H W"]:
    mask = np.zeros(drawn.pixels.shape[:2], np.uint8)
    for lesion in drawn.lesions:
        if lesion.is_nest == nest:
            fill(mask, lesion.line, 255)
    return (mask > 127).astype(np.uint8)


def _fields(
    drawn: Drawn, tumour: UInt8[np.ndarray, "H W"], lookalike: UInt8[np.ndarray, "H W"]
) -> dict[str, Bool[np.ndarray, "h w"]]:
    """For each sort of patch, where one may begin, at every `STEP` pixels."""
    tissue = (cv2.cvtColor(drawn.pixels, cv2.COLOR_RGB2GRAY) < GLASS).astype(np.uint8)
    middle = _share(tumour, CENTRE)
    clear = _share(tumour, CENTRE + 12) == 0  # nothing near the middle either
    within = (_share(tissue, SIDE) > 0.5) & (_share(tissue, CENTRE) > 0.6)
    beside = _share(tumour, SIDE) > 0
    alike = _share(lookalike, CENTRE) > 0.6
    return {
        "border": within & (middle > 0.15) & (middle < 0.6),
        "tumour": within & (middle >= 0.6),
        "lookalike": within & clear & alike,
        "beside": within & clear & beside,
        "ordinary": within & clear & ~beside & ~alike,
    }


def _share(mask: UInt8[np.ndarray, "H W"], side: int) -> Float32[np.ndarray, "h w"]:
    """The share of the mask in the middle square of each patch, by the patch's corner."""
    total = cv2.integral(mask)
    height, width = mask.shape
    inset = (SIDE - side) // 2
    rows = np.arange(0, height - SIDE + 1, STEP) + inset
    columns = np.arange(0, width - SIDE + 1, STEP) + inset
    high, low = np.ix_(rows, columns), np.ix_(rows + side, columns)
    inside = (
        total[np.ix_(rows + side, columns + side)]
        - total[low]
        - total[np.ix_(rows, columns + side)]
        + total[high]
    )
    return np.asarray(inside / side**2, np.float32)


def _places(
    rng: np.random.Generator, allowed: Bool[np.ndarray, "h w"]
) -> Iterator[tuple[int, int]]:
    rows, columns = np.nonzero(allowed)
    for i in rng.permutation(len(rows)).tolist():
        yield int(columns[i]) * STEP, int(rows[i]) * STEP
