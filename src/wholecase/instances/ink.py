"""Pen on the glass: strokes of colours that no common stain has in a section."""

import cv2
import numpy as np
from jaxtyping import UInt8

from wholecase.instances.islands import square

HUES = (
    (0, 6, 195, 90),  # red; blood and eosin are less pure
    (6, 9, 195, 130),
    (9, 29, 165, 185),  # orange and yellow; brown chromogen is darker
    (29, 41, 110, 150),
    (41, 99, 50, 0),  # green and cyan
    (99, 122, 128, 0),  # blue; haematoxylin is purple, or pale where it is blue
    (122, 148, 190, 150),  # violet; haematoxylin is darker
    (172, 180, 195, 90),
)
"""Hue (of 180) from, to; saturation and brightness (of 255) above which it is ink. Pink is free."""
COARSE_UM = 16.0
"""Ink is looked for at this spacing: strokes are wide, and it takes a quarter of the time."""
FRINGE_UM, CLOT_UM = 40.0, 150.0
"""Strokes are wider than the coloured fringes along edges (green to blue), from lenses and JPEG,
and than vessels full of blood (red)."""
SOLID_UM = 2500.0
"""No stroke is as wide as this: a green or blue area that is has been stained so."""
REACH_UM, MARGIN_UM = 100.0, 24.0
"""Thin ink is followed this far from where ink is certain; then this much is taken around it."""
THIN = np.array([35, 20, 0]), np.array([121, 255, 255])
"""Least and most hue, saturation, brightness of thin ink beside certain ink: green to blue."""


def find_ink(hsv: UInt8[np.ndarray, "H W 3"], spacing_um: float) -> UInt8[np.ndarray, "H W"] | None:
    """255 on pen strokes with a margin, from a whitened image as hue, saturation, brightness.

    None where no stroke is. Black ink has no colour and needs no finding: see `classical`.
    """
    step = max(1, round(COARSE_UM / spacing_um))
    ink = _coarse_ink(np.ascontiguousarray(hsv[::step, ::step]), spacing_um * step)
    if ink is None or step == 1:
        return ink
    repeated = cv2.resize(ink, None, fx=step, fy=step, interpolation=cv2.INTER_NEAREST)
    return np.ascontiguousarray(repeated[: hsv.shape[0], : hsv.shape[1]])


def _coarse_ink(
    hsv: UInt8[np.ndarray, "h w 3"], spacing_um: float
) -> UInt8[np.ndarray, "h w"] | None:
    pure = _pure(hsv)
    if not pure.any():
        return None
    cold = cv2.bitwise_and(pure, cv2.inRange(hsv, *THIN))
    warm = _broad(cv2.subtract(pure, cold), square(CLOT_UM, spacing_um))
    cold = _strokes(_broad(cold, square(FRINGE_UM, spacing_um)), spacing_um)
    if cold.any():
        near = cv2.dilate(cold, square(2 * REACH_UM, spacing_um))
        cold = cv2.bitwise_or(cold, cv2.bitwise_and(cv2.inRange(hsv, *THIN), near))
    ink = cv2.bitwise_or(cold, warm)
    return np.asarray(cv2.dilate(ink, square(2 * MARGIN_UM, spacing_um))) if ink.any() else None


def _broad(
    ink: UInt8[np.ndarray, "H W"], brush: UInt8[np.ndarray, "k k"]
) -> UInt8[np.ndarray, "H W"]:
    """The ink at places as broad as the brush, with what hangs on to them."""
    if not ink.any():
        return ink
    return np.asarray(
        cv2.bitwise_and(ink, cv2.dilate(cv2.morphologyEx(ink, cv2.MORPH_OPEN, brush), brush))
    )


def _pure(hsv: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W"]:
    """255 where a colour is purer and brighter than a stain of that hue can be."""
    hue, saturation, value = cv2.split(hsv)
    least, darkest = (np.full(256, 255, np.uint8) for _ in range(2))
    for start, end, chroma, brightness in HUES:
        least[start:end], darkest[start:end] = chroma, brightness
    pure = cv2.compare(saturation, cv2.LUT(hue, least), cv2.CMP_GT)
    bright = cv2.compare(value, cv2.LUT(hue, darkest), cv2.CMP_GT)
    return np.asarray(cv2.bitwise_and(pure, bright))


def _strokes(ink: UInt8[np.ndarray, "H W"], spacing_um: float) -> UInt8[np.ndarray, "H W"]:
    """The ink without those islands of it that are too broad for a pen."""
    closed = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, square(2 * FRINGE_UM, spacing_um))
    brush = square(SOLID_UM, spacing_um)
    solid = cv2.erode(closed, brush, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    if not solid.any():
        return ink
    lines, _ = cv2.findContours(closed, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    stained = np.zeros_like(ink)
    for line in lines:
        x, y, w, h = cv2.boundingRect(line)
        island = np.zeros((h, w), np.uint8)
        cv2.drawContours(island, [line], -1, 255, cv2.FILLED, offset=(-x, -y))
        if cv2.bitwise_and(island, solid[y : y + h, x : x + w]).any():
            stained[y : y + h, x : x + w] |= island
    return np.asarray(cv2.subtract(ink, stained))
