"""Whatever bytes a file holds, a reader gives pixels or a sentence."""

import contextlib

import numpy as np
import pytest
import tifffile
from pydicom.uid import JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from toys.dicom_slides import TILE, tiles, write_dicom_slide
from wholecase.core.errors import SourceError
from wholecase.sources import open_source


def small(texture):
    return np.ascontiguousarray(texture[:200, :300])


def sparse(path, pixels):
    places = [(x, y, 0.0) for y in range(0, 200, TILE) for x in range(0, 300, TILE)]
    write_dicom_slide(path, pixels, tiles(pixels), places=places)


def layered(path, pixels):
    with tifffile.TiffWriter(path) as file:
        options = {"tile": (64, 64), "photometric": "rgb", "compression": "zlib"}
        file.write(pixels, subifds=1, metadata={"axes": "YXS", "PhysicalSizeX": 0.5}, **options)
        file.write(pixels[::2, ::2], subfiletype=1, metadata=None, **options)


WRITERS = {
    "native.dcm": write_dicom_slide,
    "rle.dcm": lambda path, pixels: write_dicom_slide(path, pixels, syntax=RLELossless),
    "jpeg.dcm": lambda path, pixels: write_dicom_slide(path, pixels, syntax=JPEGBaseline8Bit),
    "jpeg2000.dcm": lambda path, pixels: write_dicom_slide(path, pixels, syntax=JPEG2000Lossless),
    "sparse.dcm": sparse,
    "subifd.tif": layered,
    "slide.ome.tif": layered,
}


def read_all(path):
    with open_source(path, "slide") as source:
        for index, level in enumerate(source.levels):
            source.read(0, 0, min(level.width_px, 400), min(level.height_px, 400), index)


@pytest.mark.parametrize("name", WRITERS)
def test_flipped_bits_and_missing_ends(texture, tmp_path, name):
    path = tmp_path / name
    WRITERS[name](path, small(texture))
    read_all(path)
    content = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(11)
    refused = 0
    for i in range(60):
        if i % 4 == 0:
            spoilt = content[: rng.integers(len(content))]
        else:
            spoilt = content.copy()
            reach = [1500, 4000, len(content)][i % 3]  # mostly the header
            at = rng.integers(0, min(reach, len(content)), rng.integers(1, 6))
            spoilt[at] ^= rng.integers(1, 256, len(at), dtype=np.uint8)
        path.write_bytes(spoilt.tobytes())
        with contextlib.suppress(SourceError):
            read_all(path)
            continue
        refused += 1
    assert refused > 10
