"""One frame of a DICOM slide as RGB."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import imagecodecs
import numpy as np
from jaxtyping import UInt8
from pydicom import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, JPEGBaseline8Bit, RLELossless

from wholecase.sources.jpeg import guessed
from wholecase.sources.samples import Window, to_rgb

_YBR = ("YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_OTHERS = ("PALETTE COLOR", "HSV", "ARGB", "CMYK", "YBR_PARTIAL_420", "YBR_PARTIAL_422", "XYB")
"""Of the standard, too, and not read."""
_START_OF_SCAN = b"\xff\xda"


@dataclass(frozen=True)
class Coding:
    """How the frames of an instance are coded; all have the same."""

    syntax: str
    columns: int
    rows: int
    samples: int
    photometric: str
    planar: int
    bits_allocated: int
    bits_stored: int

    @staticmethod
    def of(header: Dataset, syntax: str) -> "Coding":
        """What the header says.

        Raises:
            ValueError: such pixels cannot be shown as RGB.
        """
        coding = Coding(
            syntax=syntax,
            columns=int(header.Columns),
            rows=int(header.Rows),
            samples=int(header.SamplesPerPixel),
            photometric=str(header.PhotometricInterpretation),
            planar=int(header.get("PlanarConfiguration") or 0),
            bits_allocated=int(header.BitsAllocated),
            bits_stored=int(header.BitsStored),
        )
        colour = coding.samples == 3 and coding.photometric in ("RGB", *_YBR)
        grey = coding.samples == 1 and coding.photometric.startswith("MONOCHROME")
        fits = coding.bits_allocated in (8, 16) and 0 < coding.bits_stored <= coding.bits_allocated
        if not ((colour or grey) and fits and not header.PixelRepresentation):
            # other words of a header are not repeated: people write names into it
            known = coding.photometric in ("RGB", "MONOCHROME1", "MONOCHROME2", *_YBR, *_OTHERS)
            words = coding.photometric if known else "in unknown colours"
            raise ValueError(f"{coding.samples} samples of {coding.bits_allocated} bits, {words}")
        return coding

    @property
    def native_bytes(self) -> int:
        """Of one frame that is not compressed."""
        samples = 2 if self.photometric == "YBR_FULL_422" else self.samples
        return self.columns * self.rows * samples * self.bits_allocated // 8


def decoded(
    frame: bytes, coding: Coding, window: Window | None = None
) -> UInt8[np.ndarray, "H W 3"]:
    """The pixels of a frame; anything may be raised on a damaged one.

    Raises:
        ValueError: the frame is not of the size that the header tells, or a JPEG whose decoder
            would make up what lies behind damage.
    """
    jpeg = coding.syntax == JPEGBaseline8Bit
    if jpeg and (complaint := guessed(frame)):
        raise ValueError(complaint)
    pixels = _jpeg(frame, coding) if jpeg else _other(frame, coding, window)
    if pixels.shape[:2] != (coding.rows, coding.columns):
        raise ValueError(f"a frame of {pixels.shape[1]} x {pixels.shape[0]} px")
    return pixels


def _jpeg(frame: bytes, coding: Coding) -> UInt8[np.ndarray, "H W 3"]:
    if coding.samples == 1:
        grey = imagecodecs.jpeg8_decode(frame)[..., None]
        return to_rgb(grey, inverted=coding.photometric == "MONOCHROME1")
    # None leaves it to the frame's own marks; without any, the header alone knows
    marked = says_ycbcr(frame) or b"Adobe" in _head(frame) or coding.photometric != "RGB"
    pixels: np.ndarray = imagecodecs.jpeg8_decode(
        frame, colorspace=None if marked else "RGB", outcolorspace="RGB"
    )
    return pixels


def decoder_of(syntax: UID) -> str:
    """Which of the decoders under pydicom is to be used; empty leaves it the choice.

    Of damaged RLE the faster one ends the process with a panic of its language.
    """
    return "pydicom" if syntax == RLELossless else ""


@contextlib.contextmanager
def strict_runs() -> Iterator[None]:
    """Runs of RLE that give more than there is room for are damage, not a padding to warn of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="The decoded RLE segment")
        yield


def says_ycbcr(jpeg: bytes) -> bool:
    """Whether a JPEG has the mark of JFIF, which knows no RGB; it is right whatever others say."""
    return b"JFIF\0" in _head(jpeg)


def _head(jpeg: bytes) -> bytes:
    return jpeg[: jpeg.find(_START_OF_SCAN)]


def _other(frame: bytes, coding: Coding, window: Window | None) -> UInt8[np.ndarray, "H W 3"]:
    syntax = UID(coding.syntax)
    source = encapsulate([frame], has_bot=False) if syntax.is_compressed else frame
    options: dict[str, Any] = {
        "rows": coding.rows,
        "columns": coding.columns,
        "number_of_frames": 1,
        "samples_per_pixel": coding.samples,
        "photometric_interpretation": coding.photometric,
        "planar_configuration": coding.planar,
        "bits_allocated": coding.bits_allocated,
        "bits_stored": coding.bits_stored,
        "pixel_representation": 0,
        "pixel_keyword": "PixelData",
    }
    with strict_runs():
        pixels, facts = get_decoder(syntax).as_array(
            source, index=0, raw=True, decoding_plugin=decoder_of(syntax), **options
        )
    if facts["photometric_interpretation"] in ("YBR_FULL", "YBR_FULL_422"):
        pixels = cv2.cvtColor(np.ascontiguousarray(pixels[..., [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    samples = pixels[..., None] if pixels.ndim == 2 else pixels
    inverted = coding.photometric == "MONOCHROME1"
    return to_rgb(samples, coding.bits_stored, inverted=inverted, window=window)
