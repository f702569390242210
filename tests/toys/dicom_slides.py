"""DICOM slides written to order, lossless unless asked otherwise."""

from collections.abc import Callable, Sequence
from pathlib import Path

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    JPEG2000,
    UID,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
    VLWholeSlideMicroscopyImageStorage,
    generate_uid,
)

PATIENT = "Doe^Jane"
TILE = 128


def tiles(pixels: np.ndarray, side: int = TILE) -> list[np.ndarray]:
    """Row by row; those at the edges are filled up with black."""
    height, width = pixels.shape[:2]
    below, beside = -height % side, -width % side
    whole = np.pad(pixels, ((0, below), (0, beside), *((0, 0),) * (pixels.ndim - 2)))
    return [
        np.ascontiguousarray(whole[y : y + side, x : x + side])
        for y in range(0, height, side)
        for x in range(0, width, side)
    ]


def write_dicom_slide(
    path: Path,
    pixels: np.ndarray,
    frames: Sequence[np.ndarray] | None = None,
    *,
    syntax: UID = ExplicitVRLittleEndian,
    places: Sequence[tuple[int, int, float]] | None = None,
    encode: Callable[[np.ndarray], bytes] | None = None,
    extended: bool = False,
    **elements: object,
) -> Path:
    """Write one instance: TILED_FULL, or TILED_SPARSE where `places` (x, y, z) are given.

    `elements` replaces elements by keyword; None removes one.
    """
    frames = tiles(pixels) if frames is None else frames
    slide = _header(path, pixels, frames, syntax)
    if places is not None:
        slide.DimensionOrganizationType = "TILED_SPARSE"
        slide.PerFrameFunctionalGroupsSequence = [_place(*place) for place in places]
    for name, value in elements.items():
        if value is None:
            delattr(slide, name)
        else:
            setattr(slide, name, value)
    coded = [(encode or ENCODERS[syntax])(frame) for frame in frames]
    if not syntax.is_compressed:
        slide.PixelData = b"".join(coded)
    elif extended:
        slide.PixelData, slide.ExtendedOffsetTable, slide.ExtendedOffsetTableLengths = (
            encapsulate_extended(coded)
        )
    else:
        slide.PixelData = encapsulate(coded)
    slide["PixelData"].VR = "OB"
    slide.save_as(path, enforce_file_format=True)
    return path


def _header(
    path: Path, pixels: np.ndarray, frames: Sequence[np.ndarray], syntax: UID
) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = VLWholeSlideMicroscopyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = syntax
    slide = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    slide.SOPClassUID = meta.MediaStorageSOPClassUID
    slide.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    slide.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    slide.Modality = "SM"
    slide.PatientName = PATIENT
    slide.PatientID = "4711"
    slide.StudyInstanceUID, slide.SeriesInstanceUID = generate_uid(), generate_uid()
    slide.DimensionOrganizationType = "TILED_FULL"
    slide.Rows, slide.Columns = frames[0].shape[:2]
    slide.NumberOfFrames = len(frames)
    slide.TotalPixelMatrixRows, slide.TotalPixelMatrixColumns = pixels.shape[:2]
    slide.SamplesPerPixel = 3 if pixels.ndim == 3 else 1
    slide.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    if pixels.ndim == 3:
        slide.PlanarConfiguration = 0
    slide.BitsAllocated = slide.BitsStored = pixels.dtype.itemsize * 8
    slide.HighBit = slide.BitsStored - 1
    slide.PixelRepresentation = 0
    slide.SharedFunctionalGroupsSequence = [measures(0.0005)]
    return slide


def measures(down_mm: float, across_mm: float | None = None) -> Dataset:
    """Functional groups that tell the spacing."""
    item, groups = Dataset(), Dataset()
    item.PixelSpacing = [down_mm, across_mm or down_mm]
    groups.PixelMeasuresSequence = [item]
    return groups


def _place(x: int, y: int, z: float) -> Dataset:
    item, groups = Dataset(), Dataset()
    item.ColumnPositionInTotalImagePixelMatrix = x + 1
    item.RowPositionInTotalImagePixelMatrix = y + 1
    item.ZOffsetInSlideCoordinateSystem = z
    groups.PlanePositionSlideSequence = [item]
    return groups


def _rle(frame: np.ndarray) -> bytes:
    samples = frame.shape[2] if frame.ndim == 3 else 1
    coded: bytes = get_encoder(RLELossless).encode(
        frame,
        rows=frame.shape[0],
        columns=frame.shape[1],
        number_of_frames=1,
        samples_per_pixel=samples,
        photometric_interpretation="RGB" if samples == 3 else "MONOCHROME2",
        planar_configuration=0,
        bits_allocated=frame.dtype.itemsize * 8,
        bits_stored=frame.dtype.itemsize * 8,
        pixel_representation=0,
    )
    return coded


def _jpeg2000(frame: np.ndarray) -> bytes:
    return bytes(imagecodecs.jpeg2k_encode(frame, level=0, codecformat="J2K"))


def jpeg(frame: np.ndarray, stored: str = "YCBCR") -> bytes:
    """A JPEG whose samples are stored as `YCBCR` or `RGB`."""
    return bytes(imagecodecs.jpeg8_encode(frame, level=90, colorspace="RGB", outcolorspace=stored))


ENCODERS: dict[UID, Callable[[np.ndarray], bytes]] = {
    ExplicitVRLittleEndian: np.ndarray.tobytes,
    ImplicitVRLittleEndian: np.ndarray.tobytes,
    RLELossless: _rle,
    JPEG2000Lossless: _jpeg2000,
    JPEG2000: _jpeg2000,
    JPEGBaseline8Bit: jpeg,
}
