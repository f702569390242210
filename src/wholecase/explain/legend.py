"""What the colours of a picture mean and how large things are, in words below it."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from wholecase.explain.colours import VIRIDIS, colours

INK, FAINT, PAPER = 40, 200, 255


def legend(
    width: int, low: str, high: str, pixel_um: float | None, palette: str = VIRIDIS
) -> UInt8[np.ndarray, "h w 3"]:
    """A strip to go below a picture `width` pixels wide: both ends of the colours, a ruler in mm.

    `pixel_um` is the side of a picture pixel in µm; without it there is no ruler. Below a picture
    that is narrower than the words, the strip is wider than it.
    """
    size = int(np.clip(width / 45, 13, 24))
    key = [text(low, size), _colour_bar(size, palette), text(high, size)]
    scale = ruler(width / 4, pixel_um, size) if pixel_um else []
    apart = np.full((2 * size, size, 3), PAPER, np.uint8)
    together = row([*key, apart, *scale] if scale else key, size)
    fits = together.shape[1] <= width
    rows = [together] if fits or not scale else [row(key, size), row(scale, size)]
    width = max(width, *(one.shape[1] for one in rows))
    line = np.full((1, width, 3), FAINT, np.uint8)
    return np.vstack([line, *(widened(one, width) for one in rows)])


def row(pieces: list[UInt8[np.ndarray, "h _ 3"]], size: int) -> UInt8[np.ndarray, "h w 3"]:
    """Pieces beside each other, apart by what suits letters of `size` pixels."""
    gap = np.full((2 * size, size * 2 // 3, 3), PAPER, np.uint8)
    return np.hstack([gap, *(part for piece in pieces for part in (piece, gap))])


def widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    """The picture with white on its right, up to this width."""
    spare = ((0, 0), (0, width - picture.shape[1]), (0, 0))
    return np.pad(picture, spare, constant_values=PAPER)


def text(words: str, size: int) -> UInt8[np.ndarray, "h w 3"]:
    """Words in letters of `size` pixels, on a line of twice that height.

    The font that comes with Pillow has no Greek: a µ is an u with a stroke.
    """
    font = ImageFont.load_default(size)
    plain = words.replace("µ", "u")
    image = Image.new("RGB", (int(np.ceil(font.getlength(plain))) + 1, 2 * size), (PAPER,) * 3)
    draw = ImageDraw.Draw(image)
    draw.text((0, size), plain, fill=(INK,) * 3, font=font, anchor="lm")
    for at in (i for i, letter in enumerate(words) if letter == "µ"):
        left, top, _, bottom = draw.textbbox((0, size), "u", font=font, anchor="lm")
        left += font.getlength(plain[:at])
        stroke = (left, (top + bottom) / 2, left + max(size // 12, 1) - 1, bottom + size / 4)
        draw.rectangle(stroke, fill=(INK,) * 3)
    return np.asarray(image)


def _colour_bar(size: int, palette: str) -> UInt8[np.ndarray, "h w 3"]:
    piece = np.full((2 * size, 9 * size, 3), PAPER, np.uint8)
    piece[size // 2 : -(size // 2)] = colours(np.linspace(0.0, 1.0, 9 * size), palette)
    return piece


def ruler(
    most_px: float, pixel_um: float, size: int, unit: str = "mm"
) -> list[UInt8[np.ndarray, "h _ 3"]]:
    """A line of a round length, at most `most_px` long, and that length in mm or µm."""
    unit_px = {"mm": 1000.0, "µm": 1.0}[unit] / pixel_um
    length = round_length(most_px / unit_px)
    length_px = max(2, round(length * unit_px))
    piece = np.full((2 * size, length_px, 3), PAPER, np.uint8)
    piece[size - 1 : size + 1] = INK
    piece[size - size // 3 : size + size // 3, [0, 1, -2, -1]] = INK
    return [piece, text(f"{length:.10g} {unit}", size)]


def round_length(most: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is not above `most`.

    >>> round_length(0.37), round_length(7.0)
    (0.2, 5.0)
    """
    power = 10.0 ** np.floor(np.log10(most))
    return float(round(max(m for m in (1, 2, 5) if m * power <= most * (1 + 1e-9)) * power, 12))
