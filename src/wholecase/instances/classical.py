"""Tissue by colour, density and texture: offline, in a tenth of a second, for any stain."""

from typing import Any, final

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

from wholecase.core.errors import RecipeError
from wholecase.instances.colourless import dense
from wholecase.instances.dark_field import DARKEST, is_dark_field
from wholecase.instances.focus import out_of_focus
from wholecase.instances.glass import Glass, find_glass, whitened
from wholecase.instances.ink import find_ink
from wholecase.instances.islands import cleaned, square
from wholecase.instances.segmenter import Segmenter

VERSION = 1
"""Raised whenever the mask changes, so that stored features do not mix."""
BLUR_UM = 24.0
"""Width of the average that takes noise away; coarser thumbnails are an average already."""
LEAST_SATURATION, MOST_SATURATION = 8, 24
"""Tissue begins (of 255) where the glass's own noise ends, kept between these: below lies what
JPEG makes of glass; above, fat and pale stains would be lost."""
GREYEST = 0.25
"""Colour per density under which a pixel is grey: dust, edges, black ink. Stains have 0.4 to 3;
brown chromogen over haematoxylin, the greyest, 0.35."""
BORDER, BORDER_UM = 0.37, 40.0
"""Tissue ends where the colour has fallen to this share of what is nearby: the average reaches
out over glass."""
CLOSING_UM = 60.0
"""Gaps of this width (fat, clefts) are closed."""
LEAST_STAIN = 15
"""Mean saturation (of 255) of the tissue of a slide that is stained at all."""
CHOICES = ("keep", "drop")


@final
class Classical(Segmenter):
    """Tissue of any stain, pale and fatty parts included, without pen, borders, lines and dust.

    Colour is judged once the glass is white. Where nothing has any, a poor stain is found by its
    density and texture. Dark field and fluorescence are not seen.

    Args:
        holes: `keep` leaves holes of `hole_um2` or more out of the tissue, `drop` fills all.
        hole_um2: area of the smallest hole that is kept, in µm².
        ink: `drop` leaves pen strokes out; `keep` is for stains as green or blue as a pen, such as
            Luxol fast blue.
        focus: leave out what is grossly out of focus beside the rest of the slide.
    """

    def __init__(
        self,
        holes: str = "keep",
        hole_um2: float | int = 50_000.0,
        ink: str = "drop",
        *,
        focus: bool = False,
    ) -> None:
        for name, choice in (("holes", holes), ("ink", ink)):
            if choice not in CHOICES:
                raise RecipeError(f"cut.tissue.{name} is {choice!r}; give 'keep' or 'drop'")
        if not 0 <= hole_um2 < np.inf:
            raise RecipeError(f"cut.tissue.hole_um2 is {hole_um2:g}; give an area of 0 or more")
        if focus not in (True, False):
            raise RecipeError(f"cut.tissue.focus is {focus!r}; give true or false")
        self.holes, self.hole_um2 = holes, float(hole_um2)
        self.ink, self.focus = ink, bool(focus)

    @property
    def settings(self) -> dict[str, Any]:
        """Name, options and revision."""
        holes = {"holes": self.holes, "hole_um2": self.hole_um2}
        others = {"ink": self.ink, "focus": self.focus}
        return {"name": "classical", **holes, **others, "version": VERSION}

    def __call__(
        self, pixels: UInt8[np.ndarray, "H W 3"], spacing_um: float
    ) -> Bool[np.ndarray, "H W"]:
        """The tissue of a thumbnail, at about 8 µm/px; empty on blank glass."""
        soft = _averaged(pixels, spacing_um)
        glass = find_glass(soft)
        hsv = cv2.cvtColor(whitened(soft, glass), cv2.COLOR_RGB2HSV)
        if glass is None and is_dark_field(hsv):
            return np.zeros(pixels.shape[:2], bool)
        ink = find_ink(hsv, spacing_um) if self.ink == "drop" else None
        coloured = _coloured(hsv, glass, spacing_um)
        found = self._solid(coloured, ink, spacing_um)
        if glass is not None and not _is_convincing(found, hsv):
            anything = cv2.bitwise_or(coloured, dense(soft, hsv, spacing_um))
            found = self._solid(anything, ink, spacing_um)
        if self.focus:
            found = _without(found, out_of_focus(pixels, found, spacing_um))
        return found > 0

    def _solid(
        self,
        mask: UInt8[np.ndarray, "H W"],
        ink: UInt8[np.ndarray, "H W"] | None,
        spacing_um: float,
    ) -> UInt8[np.ndarray, "H W"]:
        side = max(3, len(square(CLOSING_UM, spacing_um)))
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        closed = cv2.morphologyEx(_without(mask, ink), cv2.MORPH_CLOSE, disc)
        hole_um2 = self.hole_um2 if self.holes == "keep" else None
        # neither closing nor filling may bring the ink back
        return _without(cleaned(_without(closed, ink), spacing_um, hole_um2), ink)


def _averaged(pixels: UInt8[np.ndarray, "H W 3"], spacing_um: float) -> UInt8[np.ndarray, "H W 3"]:
    side = len(square(BLUR_UM, spacing_um))
    return pixels if side == 1 else np.asarray(cv2.blur(pixels, (side, side)))


def _without(
    mask: UInt8[np.ndarray, "H W"], other: UInt8[np.ndarray, "H W"] | None
) -> UInt8[np.ndarray, "H W"]:
    return mask if other is None else np.asarray(cv2.bitwise_and(mask, cv2.bitwise_not(other)))


def _coloured(
    hsv: UInt8[np.ndarray, "H W 3"], glass: Glass | None, spacing_um: float
) -> UInt8[np.ndarray, "H W"]:
    """255 where there is more colour than on glass and than grey things of that density have."""
    _, saturation, value = cv2.split(hsv)
    noise = 0.0 if glass is None else glass.noise
    grey = 255 * (1 - (np.arange(256) / 255) ** GREYEST)
    grey[:DARKEST] = 255
    table = np.maximum(grey, np.clip(noise, LEAST_SATURATION, MOST_SATURATION)) + 0.5
    around = cv2.dilate(saturation, square(BORDER_UM, spacing_um))
    shares = (np.arange(256) * BORDER).astype(np.uint8)
    least = cv2.max(cv2.LUT(value, table.astype(np.uint8)), cv2.LUT(around, shares))
    return np.asarray(cv2.compare(saturation, least, cv2.CMP_GT))


def _is_convincing(found: UInt8[np.ndarray, "H W"], hsv: UInt8[np.ndarray, "H W 3"]) -> bool:
    """Whether what was found is a stain, and not the tint of something grey."""
    saturation = hsv[::2, ::2, 1][found[::2, ::2] > 0]
    return saturation.size > 0 and float(saturation.mean()) >= LEAST_STAIN
