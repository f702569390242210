"""What the colours of a picture mean and how large things are, in words below it."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from wholecase.explain.colours import colours

INK, FAINT, PAPER = 40, 200, 255


def add_legend(
    picture: UInt8[np.ndarray, "H W 3"], low: str, high: str, pixel_um: float | None
) -> UInt8[np.ndarray, "h w 3"]:
    """The picture above a strip that names both ends of the colours, and a ruler in mm.

    `pixel_um` is the side of a picture pixel in µm; without it there is no ruler. A picture that
    is narrower than the words is widened with white on the right.
    """
    size = int(np.clip(picture.shape[1] / 45, 13, 24))
    key = [_text(low, size), _colour_bar(size), _text(high, size)]
    ruler = _ruler(picture.shape[1], pixel_um, size) if pixel_um else []
    apart = np.full((2 * size, size, 3), PAPER, np.uint8)
    together = _row([*key, apart, *ruler] if ruler else key, size)
    fits = together.shape[1] <= picture.shape[1]
    rows = [together] if fits or not ruler else [_row(key, size), _row(ruler, size)]
    width = max(picture.shape[1], *(row.shape[1] for row in rows))
    line = np.full((1, width, 3), FAINT, np.uint8)
    return np.vstack([_widened(picture, width), line, *(_widened(row, width) for row in rows)])


def _row(pieces: list[UInt8[np.ndarray, "h _ 3"]], size: int) -> UInt8[np.ndarray, "h w 3"]:
    gap = np.full((2 * size, size * 2 // 3, 3), PAPER, np.uint8)
    return np.hstack([gap, *(part for piece in pieces for part in (piece, gap))])


def _widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    spare = ((0, 0), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, spare, constant_values=PAPER)


def _text(words: str, size: int) -> UInt8[np.ndarray, "h w 3"]:
    font = ImageFont.load_default(size)
    image = Image.new("RGB", (int(np.ceil(font.getlength(words))) + 1, 2 * size), (PAPER,) * 3)
    ImageDraw.Draw(image).text((0, size), words, fill=(INK,) * 3, font=font, anchor="lm")
    return np.asarray(image)


def _colour_bar(size: int) -> UInt8[np.ndarray, "h w 3"]:
    piece = np.full((2 * size, 9 * size, 3), PAPER, np.uint8)
    piece[size // 2 : -(size // 2)] = colours(np.linspace(0.0, 1.0, 9 * size))
    return piece


def _ruler(width: int, pixel_um: float, size: int) -> list[UInt8[np.ndarray, "h _ 3"]]:
    """A line of a round length, at most a quarter of the picture wide, and that length in mm."""
    length_mm = _round_length(width / 4 * pixel_um / 1000)
    length_px = max(2, round(length_mm * 1000 / pixel_um))
    piece = np.full((2 * size, length_px, 3), PAPER, np.uint8)
    piece[size - 1 : size + 1] = INK
    piece[size - size // 3 : size + size // 3, [0, 1, -2, -1]] = INK
    return [piece, _text(f"{length_mm:.10g} mm", size)]


def _round_length(most: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `most`.

    >>> _round_length(0.37), _round_length(7.0)
    (0.2, 5.0)
    """
    power = 10.0 ** np.floor(np.log10(most))
    return float(round(max(m for m in (1, 2, 5) if m * power <= most * (1 + 1e-9)) * power, 12))
