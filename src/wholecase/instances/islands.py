"""A mask as islands with holes: which are large enough to be tissue, which holes to be gaps."""

from collections import defaultdict
from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Int32, UInt8

SPECK_UM2, SPECK_SHARE = 10_000.0, 0.1
"""Islands smaller than a square of 100 µm are dust, or than a tenth of a small field of view."""
THIN_UM, CORE_SHARE = 36.0, 0.25
"""Islands that keep less than this share when half this width is worn off all around are fibres,
scratches and edges of glass."""

Line = Int32[np.ndarray, "_ 1 2"]


def cleaned(
    mask: UInt8[np.ndarray, "H W"], spacing_um: float, hole_um2: float | None
) -> UInt8[np.ndarray, "H W"]:
    """The islands that are neither specks nor thin, with their small holes filled.

    Args:
        mask: 0 or 255.
        spacing_um: µm per pixel of the mask.
        hole_um2: holes of this area or more stay; None fills all.
    """
    lines, family = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = family[0, :, 3].tolist() if lines else []  # -1 for the outside of islands
    speck_px = min(SPECK_UM2 / spacing_um**2, SPECK_SHARE * mask.size)
    hole_px = np.inf if hole_um2 is None else hole_um2 / spacing_um**2
    holes: dict[int, list[Line]] = defaultdict(list)
    for line, parent in zip(lines, parents, strict=True):
        if parent >= 0 and _area_px(line, -1) >= hole_px:
            holes[parent].append(line)
    kept = np.zeros_like(mask)
    for i, (line, parent) in enumerate(zip(lines, parents, strict=True)):
        if parent < 0 and _area_px(line, 1) >= speck_px:
            _add(kept, (line, *holes[i]), speck_px, square(THIN_UM, spacing_um))
    return kept


def square(size_um: float, spacing_um: float) -> UInt8[np.ndarray, "k k"]:
    """A square brush of about this width, odd in pixels and at least 1."""
    return np.ones((max(1, int(size_um / spacing_um)) // 2 * 2 + 1,) * 2, np.uint8)


def _add(
    kept: UInt8[np.ndarray, "H W"],
    lines: Sequence[Line],
    speck_px: float,
    brush: UInt8[np.ndarray, "k k"],
) -> None:
    """Draw an island with its holes, unless without them it is a speck, or it is thin."""
    x, y, w, h = cv2.boundingRect(lines[0])
    island = np.zeros((h, w), np.uint8)
    cv2.drawContours(island, lines, -1, 255, cv2.FILLED, offset=(-x, -y))
    area = cv2.countNonZero(island)
    core = cv2.erode(island, brush, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    if area >= speck_px and cv2.countNonZero(core) > CORE_SHARE * area:
        kept[y : y + h, x : x + w] |= island


def _area_px(line: Line, side: int) -> float:
    """Pixels inside a line of pixel middles: with the line (side 1) or without it (side -1)."""
    return float(cv2.contourArea(line) + side * cv2.arcLength(line, True) / 2 + 1)  # noqa: FBT003
