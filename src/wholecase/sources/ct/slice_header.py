"""What the header of a CT slice tells; nothing of the patient is ever parsed."""

import warnings
from dataclasses import dataclass
from typing import Any
from zipfile import ZipFile

import numpy as np
from jaxtyping import Float64
from pydicom import Dataset, dcmread
from pydicom.errors import InvalidDicomError
from pydicom.tag import Tag
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
)

from wholecase.sources.ct.series_name import Place

KINDS = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
MOST_SIDE_PX, MOST_FRAMES = 4096, 10_000
_TAGS = [
    Tag(name)
    for name in (
        *("SOPClassUID", "Modality", "ImageType", "SeriesInstanceUID", "SeriesNumber"),
        *("AcquisitionNumber", "NumberOfFrames", "Rows", "Columns"),
        *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"),
        *("ConvolutionKernel", "BitsAllocated", "SamplesPerPixel"),
        *("BitsStored", "PixelRepresentation", "PixelPaddingValue", "PixelPaddingRangeLimit"),
        *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence"),
        *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
        "BurnedInAnnotation",
    )
]


@dataclass(frozen=True)
class Scale:
    """How stored numbers become Hounsfield units."""

    slope: float
    intercept: float
    unit: str
    """What the file calls the result; HU where it says nothing."""
    is_given: bool
    """Whether the file says so at all."""


@dataclass(frozen=True)
class Slice:
    """One slice: one file, or a frame of one."""

    place: Place
    frame: int
    frames: int
    """In its file."""
    kind: str
    """UID of what the file is."""
    modality: str
    image_type: tuple[str, ...]
    uid: str
    """Of its series."""
    series: int | None
    acquisition: int | None
    rows: int
    columns: int
    position_mm: Float64[np.ndarray, " 3"] | None
    """Of the first pixel's centre, in the patient's coordinates."""
    across: Float64[np.ndarray, " 3"] | None
    """Direction of rows: towards higher columns."""
    down: Float64[np.ndarray, " 3"] | None
    spacing_mm: tuple[float, float] | None
    """Between rows, between columns."""
    thickness_mm: float | None
    kernel: str
    scale: Scale
    bits_stored: int
    signed: bool
    padding: tuple[int, int] | None
    """From, to: stored numbers that fill what was not measured."""
    annotated: bool
    """Whether the file says that writing is burned into it."""

    @property
    def is_placed(self) -> bool:
        """Whether it says where it lies, and in which direction."""
        return self.position_mm is not None and self.across is not None

    @property
    def directions(self) -> Float64[np.ndarray, "2 3"]:
        """Across and down, of a slice that is placed."""
        assert self.across is not None  # noqa: S101
        assert self.down is not None  # noqa: S101
        return np.stack([self.across, self.down])

    @property
    def normal(self) -> Float64[np.ndarray, " 3"]:
        """Of the plane of a slice that is placed."""
        crossed = np.cross(*self.directions)
        unit: Float64[np.ndarray, " 3"] = crossed / np.linalg.norm(crossed)
        return unit

    @property
    def height_mm(self) -> float:
        """Along the normal."""
        assert self.position_mm is not None  # noqa: S101
        return float(self.position_mm @ self.normal)


def read_slices(place: Place, packed: ZipFile | None = None) -> list[Slice] | None:
    """The slices of a file, several where it has frames; None where it is no DICOM image.

    Anything may be raised on a damaged file. `packed` is its zip, where that is open.

    Raises:
        ValueError: its sizes cannot be.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are against the standard and harmless
        with place.open(packed) as file:
            try:
                header = dcmread(file, stop_before_pixels=True, specific_tags=_TAGS)
            except InvalidDicomError:
                return None
        if "Rows" not in header:
            told = header.file_meta.get("MediaStorageSOPClassUID"), header.get("SOPClassUID")
            if not set(KINDS).isdisjoint(told):
                raise ValueError("it ends within its header")
            return None
        count = int(header.get("NumberOfFrames") or 1)
        _check_sizes(header, count)
        frames = header.get("PerFrameFunctionalGroupsSequence") or []
        if frames and len(frames) != count:
            raise ValueError(f"{len(frames)} frames are described and {count} announced")
        return [_slice(place, n, header, frames[n] if frames else None) for n in range(count)]


def _check_sizes(header: Dataset, count: int) -> None:
    sides = int(header.Rows), int(header.Columns)
    if not (0 < min(sides) <= max(sides) <= MOST_SIDE_PX and 0 < count <= MOST_FRAMES):
        raise ValueError(f"{count} frames of {sides[1]} x {sides[0]} px")
    # decoders that are told another number than there is may end the process
    samples = int(header.get("SamplesPerPixel") or 1)
    if samples != 1 and header.get("SOPClassUID") in KINDS:
        raise ValueError(f"{samples} samples a pixel")


def _slice(place: Place, number: int, header: Dataset, frame: Dataset | None) -> Slice:
    def found(name: str, group: str = "") -> Any:  # noqa: ANN401 (whatever the tag holds)
        return _value(header, frame, name, group)

    across, down = _directions(found("ImageOrientationPatient", "PlaneOrientationSequence"))
    spacing = _floats(found("PixelSpacing", "PixelMeasuresSequence"), 2)
    thickness = found("SliceThickness", "PixelMeasuresSequence")
    return Slice(
        place=place,
        frame=number,
        frames=int(header.get("NumberOfFrames") or 1),
        kind=str(header.get("SOPClassUID") or ""),
        modality=str(header.get("Modality") or ""),
        image_type=_image_type(found("FrameType", "CTImageFrameTypeSequence"), header),
        uid=str(header.get("SeriesInstanceUID") or ""),
        series=_whole(header.get("SeriesNumber")),
        acquisition=_whole(header.get("AcquisitionNumber")),
        rows=int(header.Rows),
        columns=int(header.Columns),
        position_mm=_floats(found("ImagePositionPatient", "PlanePositionSequence"), 3),
        across=across,
        down=down,
        spacing_mm=None if spacing is None else (float(spacing[0]), float(spacing[1])),
        thickness_mm=float(thickness) if thickness else None,
        kernel=_kernel(found("ConvolutionKernel", "CTReconstructionSequence")),
        scale=_scale(header, found),
        bits_stored=int(header.get("BitsStored") or header.get("BitsAllocated") or 16),
        signed=bool(header.get("PixelRepresentation") or 0),
        padding=_padding(header),
        annotated=str(header.get("BurnedInAnnotation") or "") == "YES",
    )


def _value(header: Dataset, frame: Dataset | None, name: str, group: str) -> Any:  # noqa: ANN401
    # of the frame, of all frames, of the file: in this order
    shared = header.get("SharedFunctionalGroupsSequence") or []
    for holder in (frame, *shared) if group else ():
        within = (holder.get(group) if holder is not None else None) or []
        if within and within[0].get(name) not in (None, ""):
            return within[0].get(name)
    return header.get(name)


def _floats(value: Any, count: int) -> Float64[np.ndarray, " n"] | None:  # noqa: ANN401
    if value is None or isinstance(value, str) or len(value) != count:
        return None
    numbers = np.array([float(one) for one in value], np.float64)
    return numbers if np.isfinite(numbers).all() else None


def _directions(
    value: Any,  # noqa: ANN401
) -> tuple[Float64[np.ndarray, " 3"] | None, Float64[np.ndarray, " 3"] | None]:
    six = _floats(value, 6)
    if six is None:
        return None, None
    across, down = six[:3], six[3:]
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    # at right angles and of unit length, up to what writers round away
    if abs(across @ down) > 1e-2 or not all(0.9 < length < 1.1 for length in lengths):
        return None, None
    return across / lengths[0], down / lengths[1]


def _image_type(of_frame: Any, header: Dataset) -> tuple[str, ...]:  # noqa: ANN401
    value = of_frame or header.get("ImageType") or ()
    return (value,) if isinstance(value, str) else tuple(str(one) for one in value)


def _whole(value: Any) -> int | None:  # noqa: ANN401
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _kernel(value: Any) -> str:  # noqa: ANN401
    if not value:
        return ""
    return str(value) if isinstance(value, str) else str(value[0])


def _scale(header: Dataset, found: Any) -> Scale:  # noqa: ANN401
    group = "PixelValueTransformationSequence"
    slope, intercept = found("RescaleSlope", group), found("RescaleIntercept", group)
    is_given = slope is not None and intercept is not None
    if "ModalityLUTSequence" in header and not is_given:
        kind = header.ModalityLUTSequence[0].get("ModalityLUTType") or "HU"
        return Scale(1.0, 0.0, str(kind), is_given=True)
    unit = str(found("RescaleType", group) or "HU")
    return Scale(float(slope or 1), float(intercept or 0), unit, is_given=is_given)


def _padding(header: Dataset) -> tuple[int, int] | None:
    ends = [header.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    numbers = [_whole(end) for end in ends]
    known = [number for number in numbers if number is not None]
    return (min(known), max(known)) if known else None
