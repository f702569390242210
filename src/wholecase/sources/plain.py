"""A flat image of any mode as one level of 8-bit RGB."""

import contextlib
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import final

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageOps, UnidentifiedImageError

from wholecase.core.errors import SourceError
from wholecase.core.kinds import RGB
from wholecase.sources.deep import deep_of, refuse_numbers
from wholecase.sources.filled import refuse_filled
from wholecase.sources.frames import refuse_several, split_page, turn_to
from wholecase.sources.indexed import read_one, split_index
from wholecase.sources.jpeg import LEFT_OVER, complaint_of, jpeg_of
from wholecase.sources.png import refuse_damaged_png
from wholecase.sources.region import region_of
from wholecase.sources.samples import Window, refuse_unknown_range, refuse_window, to_rgb
from wholecase.sources.source import Header, ImageSource, Level, Spacing

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "JPEG2000", "GIF", "PPM")
"""What is opened; Pillow knows more, and starts other programs for some of it."""
DECODE_ERRORS = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, ArithmeticError, EOFError),
    *(RuntimeError, MemoryError, struct.error, zlib.error),
)
"""What Pillow's readers raise on damaged files, according to where the damage lies."""
_ORIENTATION = 0x0112
"""The EXIF tag."""


@final
class PlainSource(ImageSource):
    """A PNG, JPEG or the like, decoded whole when opened; transparency lies on white.

    Spacing comes from the manifest alone: the resolution in such files is that of a printer.

    Args:
        path: the file.
        mpp: the manifest's spacing.
        window: the manifest's black and white among samples of more than 8 bits.
    """

    def __init__(self, path: Path, mpp: float | None = None, window: Window | None = None) -> None:
        pixels, notes = decode(path, window)
        self._pixels: np.ndarray | None = pixels
        height, width = pixels.shape[:2]
        spacing = None if mpp is None else Spacing(mpp, "manifest")
        note = "" if spacing else "a plain image tells no spacing"
        self.header = Header(path, (Level(width, height, 1.0),), spacing, note, notes=notes)

    def read(
        self, x_px: int, y_px: int, width_px: int, height_px: int, level: int = 0, plane: int = 0
    ) -> UInt8[np.ndarray, "H W 3"]:
        """A copy of the region, white outside the image."""
        if self._pixels is None:
            raise ValueError(f"{self.path} is closed")
        self.check_place(level, plane)
        return region_of(self._pixels, (x_px, y_px, width_px, height_px), RGB.outside)

    def close(self) -> None:
        """Free the pixels."""
        self._pixels = None


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """A Pillow image with its header read; doubtful metadata pass, what is too big raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=FORMATS) as image:
            yield image


def decode(
    path: Path, window: Window | None = None
) -> tuple[UInt8[np.ndarray, "H W 3"], tuple[str, ...]]:
    """All pixels of a flat image, upright by its EXIF tag; and that the file has smaller ones too.

    Raises:
        SourceError: unknown, truncated, too big for one piece, or of pixels whose black and white
            are unknown.
    """
    if split_index(path) is not None:
        refuse_window(path, window)
        return read_one(path), ()
    file, page = split_page(path) or (path, None)
    try:
        refuse_damaged_png(file)
        with opened(file) as image:
            if page is not None:
                turn_to(path, image, page)
            others = refuse_several(path, image) if page is None else ""
            pixels = np.array(_rgb(path, ImageOps.exif_transpose(_shallow(file, image, window))))
            refuse_filled(file, image)
            complaint = complaint_of(jpeg_of(file))
            if complaint and LEFT_OVER not in complaint:
                raise ValueError(complaint)  # told below
            damaged = f"perhaps damaged, its decoder complains ({complaint})" if complaint else ""
            return pixels, tuple(note for note in (others, damaged) if note)
    except Image.DecompressionBombError as error:
        raise SourceError(
            f"{path}: too many pixels for a flat image ({error}); convert it to a tiled, "
            f"pyramidal TIFF and call it a slide"
        ) from error
    except UnidentifiedImageError as error:
        raise SourceError(
            f"{path}: not an image in a known format; export it as PNG, JPEG or TIFF"
        ) from error
    except DECODE_ERRORS as error:
        raise SourceError(
            f"{path}: damaged or truncated ({error}); fetch the file again"
        ) from error


def _rgb(path: Path, image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_high_byte(path, np.asarray(image)))
    if image.has_transparency_data:
        above = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return image.convert("RGB")


def _shallow(path: Path, image: Image.Image, window: Window | None) -> Image.Image:
    # samples of more than 8 bits as 8, by what is known to be black and white
    turned = image.getexif().get(_ORIENTATION, 1)
    deep = deep_of(path, image)
    if deep is None:
        refuse_window(path, window)
        return image
    if window is None:
        refuse_unknown_range(path, deep.samples, deep.bits)
        if deep.scaled:
            return image
    shown = to_rgb(deep.samples, deep.bits or 16, inverted=deep.inverted, window=window)
    picture = Image.fromarray(shown)
    picture.getexif()[_ORIENTATION] = turned
    return picture


def _high_byte(path: Path, values: np.ndarray) -> np.ndarray:
    refuse_numbers(path, values)
    return (values >> 8).astype(np.uint8)
