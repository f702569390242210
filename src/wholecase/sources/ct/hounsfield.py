"""The stored numbers of a slice as Hounsfield units."""

import warnings
from io import BufferedReader, BytesIO

import imagecodecs
import numpy as np
from jaxtyping import Int16
from pydicom import Dataset, dcmread
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_modality_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from wholecase.core.kinds import CT
from wholecase.sources.ct.slice_header import Slice
from wholecase.sources.dicom_pixels import decoder_of, strict_runs

AIR = CT.outside
_LOWEST, _HIGHEST = np.iinfo(np.int16).min, np.iinfo(np.int16).max


def hounsfield(one: Slice, unpacked: bytes | None = None) -> Int16[np.ndarray, "H W"]:
    """Every pixel of a slice; padding, and whatever is less than air, is air.

    The values are those of PS3.3 C.11.1: slope and intercept of this very slice, or its table. How
    a screen shows them (MONOCHROME1, windows) does not touch them. Anything may be raised on a
    damaged file.

    Args:
        one: the slice.
        unpacked: its file, where that lies in a zip and was unpacked already.

    Raises:
        ValueError: the pixels have another size than the header tells.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stored, values = _read(one, unpacked)
    if values.shape != (one.rows, one.columns):
        raise ValueError(f"a slice of shape {values.shape}")
    if one.padding is not None:
        values = np.where((stored >= one.padding[0]) & (stored <= one.padding[1]), AIR, values)
    units: Int16[np.ndarray, "H W"] = np.clip(values, AIR, _HIGHEST).astype(np.int16)
    return units


def _read(one: Slice, unpacked: bytes | None) -> tuple[np.ndarray, np.ndarray]:
    """As stored, and scaled."""
    with one.place.open() if unpacked is None else BytesIO(unpacked) as file:
        header = dcmread(file, stop_before_pixels=one.frames > 1)
        stored = _stored(file, header, one)
    meant = _within(stored, one)
    if one.frames == 1 and "ModalityLUTSequence" in header:
        return stored, np.rint(apply_modality_lut(meant, header))
    slope, intercept = one.scale.slope, one.scale.intercept
    if slope == 1 and intercept.is_integer():  # nearly always, and four times as fast
        return stored, meant.astype(np.int32) + np.int32(intercept)
    return stored, np.rint(meant.astype(np.float64) * slope + intercept)


def _stored(file: BufferedReader | BytesIO, header: Dataset, one: Slice) -> np.ndarray:
    """Of a file of several frames no more is read than the one."""
    syntax = header.file_meta.TransferSyntaxUID
    file.seek(0)
    if syntax == JPEGExtended12Bit:
        # 12 bits, which the decoders beside pydicom under free licences do not know
        frame = get_frame(dcmread(file).PixelData, one.frame, number_of_frames=one.frames)
        return np.asarray(imagecodecs.jpeg8_decode(frame))
    source, plugin = file if one.frames > 1 else header, decoder_of(syntax)
    with strict_runs():
        pixels: np.ndarray = pixel_array(source, index=one.frame, raw=True, decoding_plugin=plugin)
    return pixels


def _within(stored: np.ndarray, one: Slice) -> np.ndarray:
    """The bits that count: others may hold overlays, or leave a sign where it was."""
    spare = stored.dtype.itemsize * 8 - one.bits_stored
    if spare <= 0:
        return stored
    native = stored.astype(stored.dtype.newbyteorder("="), copy=False)
    kind = np.dtype(f"i{stored.dtype.itemsize}" if one.signed else f"u{stored.dtype.itemsize}")
    return (native.view(kind) << spare) >> spare
