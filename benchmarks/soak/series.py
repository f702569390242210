"""CT for the soak: series in DICOM and NIfTI, what they claim, and a second reader of them."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import mutate
import nibabel
import numpy as np
import pydicom

from wholecase.core.errors import SourceError
from wholecase.sources import open_source

SLICES, COARSER = 6, 4
"""Of the series that are written: so many slices, so many times smaller."""
AIR, MOST_HU = -1024, 32767
MOST_BYTES = 2**28
ODD = (-1, 0, 1, 2, 0.5, 1e-9, 1e9, 65535, "", "word")
CLAIMS = {
    "Rows": (0, 1, 127, 129, 65535),
    "Columns": (0, 1, 127, 129, 65535),
    "BitsAllocated": (1, 8, 12, 16, 32),
    "BitsStored": (0, 1, 8, 12, 15, 16, 17),
    "HighBit": (0, 7, 11, 15, 31),
    "PixelRepresentation": (0, 1, 2),
    "SamplesPerPixel": (0, 1, 3),
    "PhotometricInterpretation": ("MONOCHROME1", "RGB", "PALETTE COLOR", ""),
    "NumberOfFrames": (0, 1, 2, 100_000, 2**31 - 1),
    "RescaleSlope": (-1, 0, 2, 0.5, 1e-9, 1e9, ""),
    "RescaleIntercept": (0, -1024, 1e9, -1e9, ""),
    "RescaleType": ("US", "OD", "HU", ""),
    "PixelSpacing": ([0.5, 0.5], [0, 0], [-1, 1], [1e9, 1e9], [1, 2], ""),
    "ImagePositionPatient": ([0, 0, 0], [0, 0, 1e9], [1, 2], [0, 0, 7], ""),
    "ImageOrientationPatient": ([1, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], ""),
    "SliceThickness": ODD[:7],
    "Modality": ("CT", "MR", "PT", ""),
    "ImageType": (["DERIVED", "SECONDARY"], ["ORIGINAL", "PRIMARY", "LOCALIZER"], ""),
    "PixelPaddingValue": (0, 40, 1000),
    "SeriesInstanceUID": ("1.2.3", ""),
    "SeriesNumber": (1, 99, 2**31 - 1),
    "AcquisitionNumber": (1, 2, 99),
}
NUMBERS = ("dim", "pixdim", "datatype", "bitpix", "scl_slope", "scl_inter", "vox_offset")
"""Fields of a NIfTI header that say how it is read."""


def single_files(data: Path) -> list[Path]:
    """Files of one slice, in as many transfer syntaxes as are read.

    Not of JPEG with 12 bits: no second reader knows it, and nothing complains of its damage.
    """
    folder = data / "dicom-ct-samples"
    files = sorted((*folder.glob("cornerstone/CTImage*"), *folder.glob("nema-wg04/CT1*")))
    return [path for path in files if "Process2_4" not in path.name and _is_read(path)]


def zipped(data: Path, folder: Path) -> Path | None:
    """A series of a head in a zip."""
    slices = head(data)
    path = folder / "head.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, one in enumerate(slices):
            archive.writestr(f"head/{number}.dcm", _written(one))
    return path if slices else None


def volumes(data: Path, folder: Path) -> Iterator[Path]:
    """The same head in NIfTI, plain and packed."""
    slices = sorted(head(data), key=lambda one: float(one.ImagePositionPatient[2]))
    if not slices:
        return
    units = np.stack([one.pixel_array for one in slices], 2).astype(np.int16)
    affine = np.diag([-2.0, -2.0, 4.0, 1.0])
    for name in ("head.nii", "head.nii.gz"):
        nibabel.save(nibabel.Nifti1Image(units.transpose(1, 0, 2), affine), folder / name)
        yield folder / name


def head(data: Path) -> list[pydicom.Dataset]:
    """Some slices of a real head, made small."""
    found = []
    for path in sorted(data.glob("dicom-ct-samples/ge-head-series/*.dcm"))[10 : 10 + SLICES]:
        one = pydicom.dcmread(path)
        pixels = np.ascontiguousarray(one.pixel_array[::COARSER, ::COARSER])
        one.PixelData, (one.Rows, one.Columns) = pixels.tobytes(), pixels.shape
        one.PixelSpacing = [float(side) * COARSER for side in one.PixelSpacing]
        found.append(one)
    return found


def claim(content: bytes, rng: np.random.Generator) -> bytes:
    """One element of a slice's header of another value, or gone."""
    file = pydicom.dcmread(io.BytesIO(content), force=True)
    name = str(rng.choice(list(CLAIMS)))
    values = CLAIMS[name]
    if name in file and rng.integers(4) == 0:
        delattr(file, name)
    else:
        setattr(file, name, values[rng.integers(len(values))])
    return _written(file)


def member_claim(content: bytes, rng: np.random.Generator) -> bytes:
    """The same of a slice within a zip."""
    return _within(content, rng, claim)


def member_bytes(content: bytes, rng: np.random.Generator) -> bytes:
    """Bytes of a slice within a zip whose checksums fit."""
    ways = list(mutate.ANY.values())
    return _within(content, rng, ways[rng.integers(len(ways))])


def member_twice(content: bytes, rng: np.random.Generator) -> bytes:
    """A slice that stands there twice, or instead of another."""
    files = _members(content)
    one, other = (str(name) for name in rng.choice(list(files), 2, replace=False))
    files[("head/again.dcm", other)[rng.integers(2)]] = files[one]
    return _packed(files)


def volume_claim(content: bytes, rng: np.random.Generator) -> bytes:
    """One number of a plain NIfTI's header; of a packed one any bytes."""
    if content[:2] == b"\x1f\x8b":
        return mutate.flips(content, rng)
    header = np.frombuffer(content[:348], nibabel.Nifti1Header.template_dtype).copy()
    name = NUMBERS[rng.integers(len(NUMBERS))]
    odd = (-1, 0, 1, 2, 4, 7, 16, 512, 1024, 32767)
    place = header[name][0]
    if place.ndim:
        place[rng.integers(len(place))] = odd[rng.integers(len(odd))]
    else:
        header[name] = odd[rng.integers(len(odd))]
    return header.tobytes() + content[348:]


def wrong(file: Path, sound: Path) -> str:
    """Whether a slice is neither the sound file's nor a second reader's, or one is lost untold."""
    here, before = _planes(file), _planes(sound)
    if len(here) < len(before):
        return f"{len(here)} slices instead of {len(before)}, and nothing is told"
    theirs = second(file)
    for height_mm, units in here:
        same = [one for at, one in before if abs(at - height_mm) < 0.01 and _equal(one, units)]
        if not same and not any(
            abs(at - height_mm) < 0.01 and _equal(one, units) for at, one in theirs
        ):
            return f"the slice at {height_mm:.2f} mm is no other reader's"
    return ""


def second(file: Path) -> list[tuple[float, np.ndarray]]:
    """Height and Hounsfield units of each slice by pydicom or nibabel; none where they cannot."""
    with suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if file.name.endswith((".nii", ".nii.gz")):
            return _volume(file)
        content = file.read_bytes()
        members = _members(content).values() if zipfile.is_zipfile(file) else [content]
        found = []
        for member in members:
            with suppress(Exception):
                found += _slices(member)
        return found
    return []


def _planes(file: Path) -> list[tuple[float, np.ndarray]]:
    with open_source(file, "ct") as source:
        level = source.levels[0]
        box = 0, 0, level.width_px, level.height_px
        return [
            (um / 1000, source.read(*box, plane=number)[..., 0])
            for number, um in enumerate(source.planes_um)
        ]


def _slices(content: bytes) -> list[tuple[float, np.ndarray]]:
    """As the header says, with and without what stands above the stored bits."""
    file = pydicom.dcmread(io.BytesIO(content), force=True)
    if int(file.Rows) * int(file.Columns) > MOST_BYTES:
        return []
    stored = file.pixel_array.astype(np.int64)
    height = 0.0
    if len(file.get("ImagePositionPatient") or ()) == 3:
        across, down = np.array(file.ImageOrientationPatient, float).reshape(2, 3)
        normal = np.cross(across, down)
        height = float(np.array(file.ImagePositionPatient, float) @ normal) / np.linalg.norm(normal)
    bits = int(file.BitsStored)
    low = stored & ((1 << bits) - 1)
    if file.PixelRepresentation:
        low = np.where(low >> (bits - 1) & 1, low - (1 << bits), low)
    found = []
    for values in (stored, low):
        units = values * float(file.RescaleSlope) + float(file.RescaleIntercept)
        padding = file.get("PixelPaddingValue")
        if padding is not None:
            ends = sorted((int(padding), int(file.get("PixelPaddingRangeLimit", padding))))
            units = np.where((values >= ends[0]) & (values <= ends[1]), AIR, units)
        found.append((height, np.clip(np.rint(units), AIR, MOST_HU)))
    return found


def _volume(file: Path) -> list[tuple[float, np.ndarray]]:
    image = nibabel.load(file)
    if np.prod(image.shape, dtype=float) * 8 > MOST_BYTES:
        return []
    upright = nibabel.as_closest_canonical(image)
    values = np.clip(np.rint(upright.get_fdata()), AIR, MOST_HU)
    scale = {"meter": 1000.0, "micron": 0.001}.get(image.header.get_xyzt_units()[0], 1.0)
    step = float(np.linalg.norm(upright.affine[:3, 2]))
    return [
        (scale * (upright.affine[2, 3] + step * plane), values[::-1, ::-1, plane].T)
        for plane in range(values.shape[2])
    ]


def _equal(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.abs(one - other.astype(np.float64)).max() <= 1)


def _is_read(path: Path) -> bool:
    try:
        with open_source(path, "ct") as source:
            source.read(0, 0, 8, 8)
    except SourceError:
        return False
    return True


def _written(file: pydicom.Dataset) -> bytes:
    spoilt = io.BytesIO()
    file.save_as(spoilt)
    return spoilt.getvalue()


def _within(content: bytes, rng: np.random.Generator, change: mutate.Change) -> bytes:
    files = _members(content)
    name = str(rng.choice(list(files)))
    return _packed(files | {name: change(files[name], rng)})


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _packed(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()
