"""A drawn study as DICOM files, written as the patient's scanner would."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from jaxtyping import Float64, Int16
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, CTImageStorage, ExplicitVRBigEndian, ExplicitVRLittleEndian

from wholecase.core.seeds import generator, seed_of
from wholecase.phantoms.ct.scan import Scanned, measured
from wholecase.phantoms.ct.study_plan import PhantomPatient

SCOUT, SOFT, SHARP = 1, 2, 3
"""Numbers of the series."""
WRITER = UID("2.25.202511")
"""Names the writing program; the same whatever pydicom's version."""


@dataclass(frozen=True)
class _Picture:
    """What distinguishes one file of a study from the others."""

    series: int
    number: int
    units: Int16[np.ndarray, "H W"]
    first_mm: Float64[np.ndarray, "3"]
    across: Float64[np.ndarray, "3"]
    down: Float64[np.ndarray, "3"]
    filled: bool
    """Whether what was not measured holds the scanner's padding value."""


def files_of(patient: PhantomPatient, study: Scanned, seed: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the study; names tell nothing of the order."""
    pictures = list(_pictures(patient, study))
    shuffled = generator(seed, patient.id, "names").permutation(len(pictures))
    for place, picture in zip(shuffled.tolist(), pictures, strict=True):
        yield f"I{place:05}{patient.scanner.suffix}", _content(patient, picture, seed)


def _pictures(patient: PhantomPatient, study: Scanned) -> Iterator[_Picture]:
    grid = study.grid
    table, down, across = grid.steps_mm
    unit = across / patient.pixel_mm, down / patient.pixel_mm
    for series, volume in ((SOFT, study.soft), (SHARP, study.sharp)):
        for z, units in enumerate(() if volume is None else volume):
            yield _Picture(series, z + 1, units, grid.first_mm + z * table, *unit, filled=True)
    if study.scout is not None:
        series = SCOUT if patient.scanner.scout_apart else SOFT
        corner = np.array([grid.first_mm[0], 0.0, grid.first_mm[2] + len(study.soft) * table[2]])
        seen = np.array([1.0, 0.0, 0.0]), np.array([0.0, 0.0, -1.0])
        yield _Picture(series, 0, study.scout, corner, *seen, filled=False)


def _content(patient: PhantomPatient, picture: _Picture, seed: int) -> bytes:
    data = Dataset()
    data.file_meta = FileMetaDataset()
    packed = patient.syntax.is_encapsulated
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if packed else patient.syntax
    data.file_meta.ImplementationClassUID = WRITER
    data.file_meta.ImplementationVersionName = "WHOLECASE"
    _tell_who(data, patient, picture, seed)
    _tell_where(data, patient, picture)
    _put_pixels(data, patient, picture)
    if packed:
        data.compress(patient.syntax, generate_instance_uid=False)
    written = BytesIO()
    data.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _tell_who(data: Dataset, patient: PhantomPatient, picture: _Picture, seed: int) -> None:
    def uid(*names: object) -> UID:
        return UID(f"2.25.{seed_of(seed, patient.id, *names)}")

    scanner = patient.scanner
    data.SOPClassUID = CTImageStorage
    data.SOPInstanceUID = uid("instance", picture.series, picture.number)
    data.StudyInstanceUID = uid("study")
    data.SeriesInstanceUID = uid("series", picture.series)
    data.FrameOfReferenceUID = uid("frame")
    data.Modality = "CT"
    data.Manufacturer = f"Phantom {scanner.site}"
    data.InstitutionName = scanner.site
    data.PatientName = f"Phantom^{patient.patient}"
    data.PatientID = patient.patient
    data.StudyDate = data.StudyTime = data.PatientBirthDate = data.PatientSex = ""
    data.AccessionNumber = data.ReferringPhysicianName = data.StudyID = ""
    data.PatientPosition = "HFS"
    data.SeriesNumber = picture.series
    data.AcquisitionNumber = 1
    data.InstanceNumber = picture.number
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if picture.filled else "LOCALIZER"]
    data.ConvolutionKernel = scanner.sharp if picture.series == SHARP else scanner.soft


def _tell_where(data: Dataset, patient: PhantomPatient, picture: _Picture) -> None:
    data.ImagePositionPatient = [f"{mm:.4f}" for mm in picture.first_mm]
    data.ImageOrientationPatient = [f"{part:.6f}" for part in (*picture.across, *picture.down)]
    data.PixelSpacing = [f"{patient.pixel_mm:.4f}"] * 2
    data.SliceThickness = f"{patient.thickness_mm:g}"
    # the tag of some scanners does not know of the tilt
    data.GantryDetectorTilt = "0" if patient.scanner.intercept == 0 else f"{patient.tilt_deg:g}"
    data.WindowCenter, data.WindowWidth = "40", "80"


def _put_pixels(data: Dataset, patient: PhantomPatient, picture: _Picture) -> None:
    scanner = patient.scanner
    stored = picture.units.astype(np.int32) - scanner.intercept
    if picture.filled and scanner.padding is not None:
        stored[~measured(patient.side_px)] = scanner.padding
    order = ">" if patient.syntax == ExplicitVRBigEndian else "<"
    samples = stored.astype(f"{order}{'i' if scanner.signed else 'u'}2")
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows, data.Columns = samples.shape
    data.BitsAllocated, data.BitsStored = 16, scanner.bits_stored
    data.HighBit = scanner.bits_stored - 1
    data.PixelRepresentation = int(scanner.signed)
    if scanner.padding is not None:
        data.PixelPaddingValue = scanner.padding
    data.RescaleIntercept, data.RescaleSlope = str(scanner.intercept), "1"
    data.RescaleType = "HU"
    data.PixelData = samples.tobytes()
    data["PixelData"].VR = "OW"
