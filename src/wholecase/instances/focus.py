"""Where a slide is out of focus, beside the rest of it."""

import cv2
import numpy as np
from jaxtyping import Float32, Shaped, UInt8

CELL_UM, CELLS = 80.0, 5
"""Sharpness is judged in cells of this side, over so many in each direction."""
RIM_PX = 13
"""Borders of tissue, ink and cavities are edges in themselves: half this width is not asked."""
LEAST_SHARPNESS = 0.12
"""Share of the slide's usual sharpness under which tissue is out of focus. Plain stroma, muscle
and follicles of real slides lie above 0.12 but for 1 %; a blur of 16 µm takes most below 0.05."""
LEAST_ASKED = 0.02
"""Share of a cell's surroundings that is asked at least."""


def out_of_focus(
    pixels: UInt8[np.ndarray, "H W 3"], tissue: UInt8[np.ndarray, "H W"], spacing_um: float
) -> UInt8[np.ndarray, "H W"]:
    """255 where tissue has far less fine detail for its density than is usual on this slide.

    The measure is the variance of the Laplacian (Pech-Pacheco 2000) over the square of the mean
    darkening, so that pale parts count as sharp. At the spacing of a thumbnail only a gross loss
    of focus, of some 15 µm and more, is seen.
    """
    asked = cv2.erode(tissue, np.ones((RIM_PX, RIM_PX), np.uint8))
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    fine = cv2.Laplacian(grey, cv2.CV_16S)
    fine = cv2.bitwise_and(fine, fine, mask=asked).astype(np.float32)
    dark = cv2.bitwise_and(cv2.bitwise_not(grey), asked)
    # the three are means over the same pixels, whatever share of a cell these are
    share, darkness, detail = (
        _cells(plane, spacing_um) for plane in (asked, dark, cv2.multiply(fine, fine))
    )
    known = share > 255 * LEAST_ASKED
    if not known.any():
        return np.zeros_like(tissue)
    sharpness = detail * share / np.square(darkness + 1)
    least = LEAST_SHARPNESS * float(np.median(sharpness[known]))
    soft = np.where(known & (sharpness < least), 255, 0).astype(np.uint8)
    size = tissue.shape[1], tissue.shape[0]
    return np.asarray(
        cv2.bitwise_and(tissue, cv2.resize(soft, size, interpolation=cv2.INTER_NEAREST))
    )


def _cells(plane: Shaped[np.ndarray, "H W"], spacing_um: float) -> Float32[np.ndarray, "h w"]:
    """Means around each cell."""
    height, width = (max(1, round(side * spacing_um / CELL_UM)) for side in plane.shape)
    cells = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.blur(cells.astype(np.float32), (CELLS, CELLS)))
