"""What spoils a drawn thumbnail: ink of any colour, folds, borders, dirt, bubbles, lost focus."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import UInt8

from wholecase.core.lookup import look_up
from wholecase.core.seeds import generator
from wholecase.phantoms.fields import smooth
from wholecase.phantoms.stained import Stained

INKS = {
    "blue": (0.12, 0.16, 0.62),
    "thin blue": (0.28, 0.40, 0.78),
    "green": (0.24, 0.66, 0.56),
    "red": (0.84, 0.10, 0.16),
    "black": (0.08, 0.08, 0.09),
}
"""Light that each ink lets through in red, green, blue."""


def spoil(slide: Stained, artefact: str, seed: int) -> Stained:
    """The slide with one artefact of `ARTEFACTS` added; the truth is kept up.

    Raises:
        RecipeError: no artefact has that name.
    """
    function = look_up(ARTEFACTS, artefact, "drawn artefact")
    return function(slide, generator(seed, "spoilt", artefact))


def _pen(colour: str) -> Callable[[Stained, np.random.Generator], Stained]:
    def draw(slide: Stained, rng: np.random.Generator) -> Stained:
        """A stroke around the larger piece, partly over it, and a short one on the glass."""
        h, w = slide.tissue.shape
        stroke = np.zeros((h, w), np.uint8)
        wide = round(rng.uniform(350, 700) / slide.spacing_um)
        angle = np.linspace(0.3, 4.0, 60) + rng.uniform(0, 6)
        x = w * (0.37 + 0.25 * np.cos(angle) + 0.01 * rng.normal(0, 1, 60).cumsum() / 8)
        y = h * (0.50 + 0.38 * np.sin(angle))
        cv2.polylines(stroke, [np.stack([x, y], 1).astype(np.int32)], False, 255, wide)  # noqa: FBT003
        short = np.array([(0.66, 0.06), (0.82, 0.10), (0.9, 0.07)]) * (w, h)
        cv2.polylines(stroke, [short.astype(np.int32)], False, 255, wide)  # noqa: FBT003
        amount = cv2.GaussianBlur(stroke, (0, 0), 1.2).astype(np.float32) / 255
        amount *= np.clip(0.95 + 0.08 * smooth(rng, (h, w), 25.0), 0.5, 1.2)
        through = np.power(np.array(INKS[colour], np.float32), amount[..., None])
        return _hidden(slide, (slide.pixels * through).astype(np.uint8), stroke)

    return draw


def _fold(slide: Stained, rng: np.random.Generator) -> Stained:
    """Bands in which the section lies on itself: twice the stain."""
    pixels = slide.pixels
    for _ in range(3):
        rows, columns = np.nonzero(slide.tissue)
        i = int(rng.integers(len(rows)))
        turn, reach = rng.uniform(0, np.pi), 900 / slide.spacing_um
        step = np.array([np.cos(turn), np.sin(turn)]) * reach
        middle = np.array([columns[i], rows[i]])
        ends = np.rint([middle - step, middle + step]).astype(int)
        band = np.zeros(slide.tissue.shape, np.uint8)
        cv2.line(band, ends[0].tolist(), ends[1].tolist(), 1, round(100 / slide.spacing_um))
        over = ((band > 0) & slide.tissue)[..., None]
        pixels = np.where(over, (pixels.astype(np.float32) ** 2.4 / 255**1.4), pixels)
    return replace(slide, pixels=pixels.astype(np.uint8))


def _black_border(slide: Stained, rng: np.random.Generator) -> Stained:
    """Two sides that the scanner has filled, with the ringing of JPEG."""
    h, w = slide.tissue.shape
    border = np.zeros((h, w), np.uint8)
    border[:, : int(rng.uniform(0.05, 0.12) * w)] = 255
    border[int(rng.uniform(0.85, 0.93) * h) :] = 255
    pixels = np.where(border[..., None] > 0, 2, slide.pixels).astype(np.uint8)
    return _hidden(slide, _as_jpeg(pixels), border)


def _coverslip(slide: Stained, rng: np.random.Generator) -> Stained:
    """The cover glass's edge: a grey line with a coloured fringe, beside the tissue."""
    pixels = slide.pixels.copy()
    h, w = slide.tissue.shape
    for at, colour in ((0.030, (120, 122, 125)), (0.034, (214, 205, 228))):
        row, column = int(at * h), int(at * w)
        cv2.line(pixels, (0, row), (w, row + int(rng.integers(3, 9))), colour, 2, cv2.LINE_AA)
        cv2.line(pixels, (column, 0), (column + 4, h), colour, 2, cv2.LINE_AA)
    return replace(slide, pixels=pixels)


def _debris(slide: Stained, rng: np.random.Generator) -> Stained:
    """Dust, fibres and flecks of stain on the glass."""
    pixels = slide.pixels.copy()
    h, w = slide.tissue.shape
    for _ in range(60):
        x, y = int(rng.uniform(0, w)), int(rng.uniform(0, h))
        colour = ((70, 70, 75), (150, 70, 150), (200, 120, 160))[int(rng.integers(3))]
        radius = round(rng.uniform(8, 40) / slide.spacing_um)
        cv2.circle(pixels, (x, y), max(1, radius), colour, -1, cv2.LINE_AA)
    for _ in range(6):
        ends = rng.uniform((0, 0), (w, h), (2, 2))
        bent = np.stack(
            [ends[0], ends.mean(0) + rng.normal(0, 12, 2), 0.7 * ends[0] + 0.3 * ends[1]]
        )
        cv2.polylines(pixels, [bent.astype(np.int32)], False, (120, 130, 160), 1, cv2.LINE_AA)  # noqa: FBT003
    return replace(slide, pixels=np.where(slide.tissue[..., None], slide.pixels, pixels))


def _bubble(slide: Stained, rng: np.random.Generator) -> Stained:
    """Air under the cover glass: a dark rim around glass that shines a little."""
    h, w = slide.tissue.shape
    drawn = np.zeros((h, w), np.uint8)
    centre = int(rng.uniform(0.60, 0.64) * w), int(rng.uniform(0.78, 0.84) * h)
    cv2.ellipse(drawn, centre, (w // 14, h // 9), 20, 0, 360, 255, 5, cv2.LINE_AA)
    rim = cv2.GaussianBlur(drawn, (0, 0), 1.5).astype(np.float32)[..., None] / 255
    return replace(slide, pixels=(slide.pixels * (1 - 0.6 * rim)).astype(np.uint8))


def _out_of_focus(slide: Stained, rng: np.random.Generator) -> Stained:
    """The left half of the larger piece, out of focus by 40 µm."""
    h, w = slide.tissue.shape
    soft = cv2.GaussianBlur(slide.pixels, (0, 0), 40 / slide.spacing_um)
    side = np.zeros((h, w), np.uint8)
    side[:, : int(rng.uniform(0.30, 0.36) * w)] = 255
    noise = rng.normal(0, 1.2, soft.shape)
    pixels = np.where(side[..., None] > 0, np.clip(soft + noise, 0, 255), slide.pixels)
    return _hidden(slide, _as_jpeg(pixels.astype(np.uint8)), side)


def _as_jpeg(pixels: UInt8[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return np.ascontiguousarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def _hidden(
    slide: Stained, pixels: UInt8[np.ndarray, "H W 3"], mask: UInt8[np.ndarray, "H W"]
) -> Stained:
    return replace(slide, pixels=pixels, spoiled=slide.spoiled | (mask > 127))


ARTEFACTS: dict[str, Callable[[Stained, np.random.Generator], Stained]] = {
    **{f"{colour} pen": _pen(colour) for colour in INKS},
    "fold": _fold,
    "black border": _black_border,
    "coverslip": _coverslip,
    "debris": _debris,
    "bubble": _bubble,
    "out of focus": _out_of_focus,
}
"""Name of each artefact to the function that adds it."""
