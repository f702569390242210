"""What the header of a DICOM slide tells of its frames; nothing of the patient is ever parsed."""

import math
import mmap
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64
from pydicom import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import UID, VLWholeSlideMicroscopyImageStorage

from wholecase.core.errors import SourceError
from wholecase.core.units import spacing_of_power
from wholecase.sources.dicom_frames import PixelElement
from wholecase.sources.dicom_pixels import Coding
from wholecase.sources.dicom_places import placed
from wholecase.sources.dicom_tail import Tail, read_tail
from wholecase.sources.mosaic import MOST_TILE_PX, Mosaic
from wholecase.sources.spacing_rungs import Rung

_UM_PER_MM = 1000.0
_TAGS: list[BaseTag | int] = [
    Tag(name)
    for name in (
        *("SOPClassUID", "SOPInstanceUID", "ImageType", "ConcatenationUID", "NumberOfFrames"),
        *("Rows", "Columns", "TotalPixelMatrixRows", "TotalPixelMatrixColumns"),
        *("TotalPixelMatrixFocalPlanes", "NumberOfOpticalPaths", "DimensionOrganizationType"),
        *("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
        *("BitsAllocated", "BitsStored", "PixelRepresentation"),
        *("ImagedVolumeWidth", "ImagedVolumeHeight", "OpticalPathSequence"),
    )
]
MOST_ELEMENTS, MOST_PER_FRAME = 100_000, 64
"""That stand between header and pixels; a frame that tells its place has about twenty."""
_FIRST_OF_TAIL = Tag("SharedFunctionalGroupsSequence")


@dataclass(frozen=True)
class Instance:
    """One file of a DICOM slide: one level, or a picture beside the pyramid."""

    path: Path
    uid: str
    flavour: str
    """Third value of ImageType: VOLUME, LABEL, OVERVIEW, THUMBNAIL; empty where it is missing."""
    mosaic: Mosaic
    order_told: bool
    """Whether the places of the mosaic are the file's own words, not the usual order."""
    frames: Int64[np.ndarray, " F"]
    """Number of the stored frame of each tile of the mosaic."""
    coding: Coding
    pixels: PixelElement
    rungs: tuple[Rung, ...]


def read_instance(path: Path) -> Instance:
    """The header of one file; anything may be raised on a damaged one.

    Raises:
        SourceError: the file is no whole-slide image, or one that cannot be shown as RGB.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that are against the standard and harmless
        with path.open("rb") as file:
            header = read_partial(
                file, stop_when=lambda tag, _vr, _length: tag >= _FIRST_OF_TAIL, specific_tags=_TAGS
            )
            syntax = UID(header.file_meta.TransferSyntaxUID)
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                explicit, little = not syntax.is_implicit_VR, syntax.is_little_endian
                most = MOST_ELEMENTS + MOST_PER_FRAME * int(header.get("NumberOfFrames") or 1)
                tail = read_tail(data, file.tell(), explicit=explicit, little=little, most=most)
        return _instance(path, header, tail, syntax)


def _instance(path: Path, header: Dataset, tail: Tail, syntax: UID) -> Instance:
    _check_kind(path, header)
    count = int(header.get("NumberOfFrames") or 1)
    size_px, tile_px = _sizes(path, header, count)
    coding = Coding.of(header, str(syntax))
    pixels = PixelElement(
        offset=tail.pixels_at,
        explicit=not syntax.is_implicit_VR,
        little=syntax.is_little_endian,
        count=count,
        native_bytes=None if syntax.is_compressed else coding.native_bytes,
        extended=tail.extended,
    )
    pixels.check_count(path.stat().st_size)
    places = placed(path, header, tail, (size_px, tile_px, count))
    return Instance(
        path=path,
        uid=str(header.SOPInstanceUID),
        flavour=_flavour(header),
        mosaic=Mosaic(*size_px, tile_px, places.corners_px),
        order_told=places.is_ordered,
        frames=places.frames,
        coding=coding,
        pixels=pixels,
        rungs=tuple(_rungs(header, tail, size_px)),
    )


def _check_kind(path: Path, header: Dataset) -> None:
    kind = UID(header.get("SOPClassUID", ""))
    if kind != VLWholeSlideMicroscopyImageStorage:
        raise SourceError(
            f"{path}: a DICOM file of another kind than a slide ({kind.name or 'unnamed'}); give "
            f"a VL Whole Slide Microscopy image"
        )
    if "ConcatenationUID" in header:
        raise SourceError(f"{path}: one part of a concatenation; join its parts into one instance")
    if int(header.get("NumberOfOpticalPaths") or 1) > 1:
        raise SourceError(
            f"{path}: {header.NumberOfOpticalPaths} optical paths; export the one in colour"
        )


def _flavour(header: Dataset) -> str:
    kinds = header.get("ImageType") or []
    return str(kinds[2]) if not isinstance(kinds, str) and len(kinds) > 2 else ""


def _sizes(path: Path, header: Dataset, count: int) -> tuple[tuple[int, int], tuple[int, int]]:
    # of the level and of a frame
    tile_px = int(header.Columns), int(header.Rows)
    size_px = (
        int(header.get("TotalPixelMatrixColumns") or tile_px[0]),
        int(header.get("TotalPixelMatrixRows") or tile_px[1]),
    )
    if min(*tile_px, *size_px, count) < 1 or math.prod(tile_px) > MOST_TILE_PX:
        raise SourceError(
            f"{path}: {count} frames of {tile_px[0]} x {tile_px[1]} px cannot be read; export the "
            f"slide in tiles of 256 to 4096 px"
        )
    return size_px, tile_px


def _rungs(header: Dataset, tail: Tail, size_px: tuple[int, int]) -> list[Rung]:
    rungs = []
    if len(tail.spacing_mm) == 2:
        down, across = tail.spacing_mm
        rungs.append(Rung("pixel spacing", across * _UM_PER_MM, down * _UM_PER_MM))
    sides = [header.get(f"ImagedVolume{side}") for side in ("Width", "Height")]
    if all(sides):
        x, y = (float(mm) * _UM_PER_MM / n for mm, n in zip(sides, size_px, strict=True))
        rungs.append(Rung("imaged volume", x, y))
    paths = header.get("OpticalPathSequence") or [Dataset()]
    if power := float(paths[0].get("ObjectiveLensPower") or 0):
        rungs.append(Rung("objective power", *(spacing_of_power(power),) * 2))
    return rungs
