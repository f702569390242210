"""Flat images of more than 8 bits: their samples, and what the file tells of their range."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
from jaxtyping import Shaped
from PIL import Image, ImageFile, TiffImagePlugin

from wholecase.core.errors import SourceError

if TYPE_CHECKING:
    from tifffile import TiffPage

_MOST_BITS = 16
_START_OF_CODESTREAM = b"\xff\x4f\xff\x51"
"""Of JPEG 2000, where the size of the image follows."""
_BITS_PER_SAMPLE = 258
_SEPARATE = 2
"""Of the TIFF tag PlanarConfiguration."""
_OPACITY = (1, 2)
"""Values of the TIFF tag ExtraSamples."""
_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB = 0, 1, 2
"""Of the TIFF tag PhotometricInterpretation."""


@dataclass(frozen=True)
class Deep:
    """The samples of an image as the file has them."""

    samples: Shaped[np.ndarray, "H W S"]
    bits: int | None
    """How many are in use, None where nothing tells."""
    inverted: bool = False
    """0 is white."""
    scaled: bool = False
    """Whether Pillow brings them to 8 or 16 bits by what the file tells."""


def deep_of(path: Path, image: Image.Image) -> Deep | None:
    """The samples of an image that was opened; None where they have 8 bits or fewer.

    Raises:
        SourceError: samples of such a kind have no known black and white.
    """
    read = _FORMATS.get(image.format or "")
    deep = None if read is None else read(path, image)
    if deep is not None:
        refuse_numbers(path, deep.samples)
    return deep


def refuse_numbers(path: Path, values: Shaped[np.ndarray, "..."]) -> None:
    """Refuse what is not between 0 and 65535, or no integer.

    Raises:
        SourceError: it is not.
    """
    if values.dtype.kind == "f" or values.min() < 0 or values.max() >= 2**_MOST_BITS:
        raise SourceError(
            f"{path}: {values.dtype} pixels have no known black and white; export 8 or 16 bits"
        )


def told_bits(page: "TiffPage") -> int | None:
    """How many bits the samples of a TIFF use by its tags; None where 16 were but set aside.

    MaxSampleValue counts where it is all ones: other values are those of the brightest pixel.
    """
    most = page.tags.valueof("MaxSampleValue", 0)
    most = max(most) if isinstance(most, tuple) else most
    if 2**8 <= most + 1 < 2**_MOST_BITS and (most + 1).bit_count() == 1:
        return int(most).bit_length()
    return int(page.bitspersample) if page.bitspersample < _MOST_BITS else None


# each lets Pillow load the image first, which notices damage that the others read over


def _png(path: Path, image: Image.Image) -> Deep | None:
    with path.open("rb") as file:
        depth = file.read(25)[24]  # of the header, which is the first chunk
    if depth <= 8:
        return None
    import imagecodecs

    image.load()
    return Deep(_axes(imagecodecs.png_decode(path.read_bytes())), None)


def _tiff(path: Path, image: Image.Image) -> Deep | None:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)  # noqa: S101 (by its format)
    if max(image.tag_v2.get(_BITS_PER_SAMPLE, (1,))) <= 8:
        return None
    from tifffile import TiffFile

    image.load()
    with TiffFile(path) as file:
        page = cast("TiffPage", file.pages[image.tell()])
        if page.photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB):
            raise SourceError(
                f"{path}: pixels of {page.bitspersample} bits and photometric "
                f"{int(page.photometric)} are not shown as RGB; export 8-bit RGB"
            )
        samples = page.asarray()
        apart = page.planarconfig == _SEPARATE and page.samplesperpixel > 1
        samples = np.moveaxis(samples, 0, 2) if apart else _axes(samples)
    opaque = not page.extrasamples or page.extrasamples[0] not in _OPACITY
    colours = 3 if page.photometric == _RGB else 1
    samples = samples[..., : colours + (not opaque)]
    return Deep(samples, told_bits(page), inverted=page.photometric == _MIN_IS_WHITE)


def _jpeg2000(path: Path, image: Image.Image) -> Deep | None:
    data = path.read_bytes()
    start = data.find(_START_OF_CODESTREAM)
    depth = (data[start + 42] & 0x7F) + 1
    if start < 0 or depth <= 8:
        return None
    import imagecodecs

    image.load()
    bits = None if depth == _MOST_BITS else depth
    return Deep(_axes(imagecodecs.jpeg2k_decode(data)), bits, scaled=True)


def _ppm(path: Path, image: Image.Image) -> Deep | None:
    assert isinstance(image, ImageFile.ImageFile)  # noqa: S101 (it was opened, not made)
    mode = image.tile[0][3]  # before the pixels are loaded
    most = mode[1] if isinstance(mode, tuple) else math.inf if mode == "I;16B" else 0
    if most < 2**8:
        return None
    image.load()
    samples = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise ValueError("samples that OpenCV cannot read")
    bits = None if most >= 2**_MOST_BITS - 1 else int(most).bit_length()
    return Deep(_axes(samples)[..., ::-1], bits, scaled=True)


def _axes(samples: np.ndarray) -> Shaped[np.ndarray, "H W S"]:
    return samples[..., None] if samples.ndim == 2 else samples


_FORMATS: dict[str, Callable[[Path, Image.Image], Deep | None]] = {
    "PNG": _png,
    "TIFF": _tiff,
    "JPEG2000": _jpeg2000,
    "PPM": _ppm,
}
