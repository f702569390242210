"""What files of one kind claim, changed through the library that writes them."""

import io

import h5py
import numpy as np
import pydicom
import torch

DICOM = {
    "Rows": (0, 1, 64, 255, 257, 65535),
    "Columns": (0, 1, 64, 255, 257, 65535),
    "NumberOfFrames": (0, 1, 2, 27, 29, 100_000, 2**31 - 1),
    "TotalPixelMatrixColumns": (0, 1, 100, 60_000, 2**31 - 1),
    "TotalPixelMatrixRows": (0, 1, 100, 60_000, 2**31 - 1),
    "BitsAllocated": (1, 8, 16, 32),
    "BitsStored": (0, 1, 7, 12, 16),
    "SamplesPerPixel": (0, 1, 2, 4),
    "PhotometricInterpretation": ("MONOCHROME1", "RGB", "YBR_FULL_422", "PALETTE COLOR", ""),
    "ImagedVolumeWidth": (0.0, 1e-9, 7.0, 1e9),
    "ImagedVolumeHeight": (0.0, 1e-9, 7.0, 1e9),
    "ImageType": (["ORIGINAL", "PRIMARY", "LABEL", "NONE"], ["DERIVED"], ""),
    "DimensionOrganizationType": ("TILED_SPARSE", "TILED_FULL", "3D"),
    "PlanarConfiguration": (0, 1, 2),
}
ATTRIBUTES = (0, -1, 1, 7, 1024.0, np.nan, 1e300, "word", "", np.zeros(3), np.zeros(40))


def dicom(content: bytes, rng: np.random.Generator) -> bytes:
    """One element of another value, or gone."""
    data = pydicom.dcmread(io.BytesIO(content), force=True)
    name = str(rng.choice(list(DICOM)))
    values = DICOM[name]
    if name in data and rng.integers(4) == 0:
        delattr(data, name)
    else:
        setattr(data, name, values[rng.integers(len(values))])
    spoilt = io.BytesIO()
    data.save_as(spoilt)
    return spoilt.getvalue()


def hdf5(content: bytes, rng: np.random.Generator) -> bytes:
    """An attribute, a data set or its numbers."""
    spoilt = io.BytesIO(content)
    with h5py.File(spoilt, "r+") as file:
        names = [name for name in file if isinstance(file[name], h5py.Dataset)]
        name = str(rng.choice(names))
        ways = (_attribute, _numbers, _numbers, _resized, _retyped, _gone)
        ways[rng.integers(len(ways))](file, name, rng)
    return spoilt.getvalue()


def tensor(content: bytes, rng: np.random.Generator) -> bytes:
    """Numbers, shape, type or strides of the tensor, or something else in its place."""
    values = torch.load(io.BytesIO(content), weights_only=True)
    other: object = (
        spoilt_numbers(values.numpy().copy(), rng),
        values[None],
        values.flatten(),
        values[:1].expand(10**9, -1),
        values.T,
        values.double(),
        values.half(),
        values.to_sparse(),
        {"features": values},
        [values, values],
        values.numpy(),
        values[:0],
        values.to(torch.complex64),
    )[rng.integers(13)]
    spoilt = io.BytesIO()
    torch.save(torch.from_numpy(other) if isinstance(other, np.ndarray) else other, spoilt)
    return spoilt.getvalue()


def spoilt_numbers(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rows exchanged, repeated or filled with what is no feature."""
    rows = rng.integers(0, len(values), max(1, len(values) // int(rng.integers(1, 5))))
    fills = (np.nan, np.inf, 0, -1, 1e30, values[::-1][rows], values[0])
    with np.errstate(all="ignore"):
        values[rows] = np.asarray(fills[rng.integers(len(fills))]).astype(values.dtype)
    return values


def _attribute(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    place = file[name] if len(file[name].attrs) else file
    names = list(place.attrs) or ["encoder"]
    value = ATTRIBUTES[rng.integers(len(ATTRIBUTES))]
    place.attrs[str(rng.choice(names))] = value


def _numbers(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    file[name][...] = spoilt_numbers(file[name][()], rng)


def _resized(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    values = file[name][()]
    shapes = (values[:-1], values[None], values.ravel(), values[:0], values[..., :1], values[:1])
    _replaced(file, name, shapes[rng.integers(len(shapes))])


def _retyped(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    types = ("f2", "f8", "i4", "u1", "S8", "c8", "?", ">f4")
    with np.errstate(all="ignore"):
        _replaced(file, name, file[name][()].astype(types[rng.integers(len(types))]))


def _gone(file: h5py.File, name: str, rng: np.random.Generator) -> None:
    if rng.integers(2):
        del file[name]
    else:
        file.move(name, "other")


def _replaced(file: h5py.File, name: str, values: np.ndarray) -> None:
    told = dict(file[name].attrs)
    del file[name]
    file[name] = values
    file[name].attrs.update(told)
