"""Samples of more than 8 bits: black and white are known, or the image is refused by name."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian

from toys.dicom_slides import write_dicom_slide
from wholecase.audit import check_cohort
from wholecase.cohort import read_cohort
from wholecase.core.errors import SourceError
from wholecase.execution import Place
from wholecase.extract import decode
from wholecase.instances import Whole
from wholecase.sources import open_source

UNKNOWN = r"reach from \d+ to \d+, of which 8 bits would keep .* column window, such as 0-4095"


@pytest.fixture
def twelve() -> np.ndarray:
    """[96, 128] grey levels 0 to 4095, smooth and of a thousand values."""
    y, x = np.mgrid[:96, :128]
    return ((x + y) * 4095 // 222).astype(np.uint16)


def shown(path: Path, kind: str = "still", window: tuple[int, int] | None = None) -> np.ndarray:
    with open_source(path, kind, 0.5, window) as source:
        level = source.levels[0]
        return source.read(0, 0, level.width_px, level.height_px)


def in_window(samples: np.ndarray, low: int, high: int) -> np.ndarray:
    return np.rint((np.clip(samples.astype(float), low, high) - low) * 255 / (high - low))


def written(folder: Path, name: str, samples: np.ndarray) -> Path:
    path = folder / name
    colour = np.repeat(samples[..., None], 3, axis=2)
    if name == "grey.png":
        Image.fromarray(samples).save(path)
    elif name == "opaque.png":
        cv2.imwrite(str(path), np.dstack([colour, np.full_like(samples, 65535)]))
    elif name.endswith(("png", "ppm")):
        cv2.imwrite(str(path), colour)
    elif name.endswith("pgm"):
        cv2.imwrite(str(path), samples)
    elif name.endswith("jp2"):
        path.write_bytes(imagecodecs.jpeg2k_encode(samples, level=0))
    else:
        options = {"tile": (64, 64)} if "tiled" in name else {}
        photometric = "rgb" if "colour" in name else "minisblack"
        pixels = colour if "colour" in name else samples
        tifffile.imwrite(path, pixels, photometric=photometric, metadata=None, **options)
    return path


NAMES = (
    *("grey.png", "colour.png", "opaque.png", "grey.pgm", "colour.ppm", "grey.jp2"),
    *("grey.tif", "colour.tif", "tiled.tif", "tiled-colour.tif"),
)


@pytest.mark.parametrize("name", NAMES)
def test_twelve_of_sixteen_bits_are_refused_until_a_window_is_told(tmp_path, twelve, name):
    path = written(tmp_path, name, twelve)
    with pytest.raises(SourceError, match=f"{name}: .*{UNKNOWN}"):
        open_source(path, "still")
    for window in ((0, 4095), (100, 2000)):
        wanted = in_window(twelve, *window)
        assert np.array_equal(shown(path, "still", window), np.repeat(wanted[..., None], 3, 2))
    assert len(np.unique(shown(path, "still", (0, 4095)))) > 200


@pytest.mark.parametrize("name", NAMES)
def test_all_sixteen_bits_in_use_keep_the_high_byte(tmp_path, twelve, name):
    sixteen = twelve << 4
    found = shown(written(tmp_path, name, sixteen)).astype(int)
    rounded = name == "colour.ppm"  # where Pillow divides instead
    assert np.abs(found - (sixteen >> 8)[..., None]).max() <= rounded


@pytest.mark.parametrize("name", ["tiled.tif", "tiled-colour.tif", "vendor.svs"])
def test_slides_of_sixteen_bits_are_held_to_the_same(tmp_path, twelve, name):
    path = tmp_path / name
    if name == "vendor.svs":
        colour = np.repeat(twelve[..., None], 3, axis=2)
        said = {"photometric": "rgb", "description": "Aperio x\n|MPP = 0.5", "metadata": None}
        tifffile.imwrite(path, colour, tile=(64, 64), **said)
    else:
        written(tmp_path, name, twelve)
    with pytest.raises(SourceError, match=f"{name}: .*{UNKNOWN}"):
        open_source(path, "slide", 0.5)
    wanted = in_window(twelve, 0, 4095)
    assert np.array_equal(shown(path, "slide", (0, 4095))[..., 1], wanted)


@pytest.mark.parametrize("kind", ["still", "slide"])
def test_the_tags_of_a_tiff_decide_where_they_tell_the_bits(tmp_path, twelve, kind):
    most = [(281, "H", 1, 4095, True)]
    tifffile.imwrite(tmp_path / "told.tif", twelve, tile=(64, 64), extratags=most, metadata=None)
    assert np.array_equal(shown(tmp_path / "told.tif", kind)[..., 0], twelve >> 4)
    tifffile.imwrite(tmp_path / "more.tif", twelve << 4, tile=(64, 64), extratags=most)
    with pytest.raises(SourceError, match=UNKNOWN):
        open_source(tmp_path / "more.tif", kind, 0.5)
    most = [(281, "H", 1, 3280, True)]  # its brightest sample tells nothing of the others' range
    tifffile.imwrite(tmp_path / "high.tif", twelve, tile=(64, 64), extratags=most, metadata=None)
    with pytest.raises(SourceError, match=UNKNOWN):
        open_source(tmp_path / "high.tif", kind, 0.5)


def test_packed_bits_and_white_zeros_of_a_tiff_are_told(tmp_path, twelve):
    tifffile.imwrite(tmp_path / "packed.tif", twelve, bitspersample=12, metadata=None)
    assert np.array_equal(shown(tmp_path / "packed.tif")[..., 0], twelve >> 4)
    white = {"photometric": "miniswhite", "metadata": None}
    tifffile.imwrite(tmp_path / "white.tif", twelve << 4, **white)
    assert np.array_equal(shown(tmp_path / "white.tif")[..., 0], 255 - (twelve >> 4))


def test_formats_that_tell_their_depth_are_believed(tmp_path, twelve):
    content = imagecodecs.jpeg2k_encode(twelve, level=0, bitspersample=12)
    (tmp_path / "a.jp2").write_bytes(content)
    assert np.array_equal(shown(tmp_path / "a.jp2")[..., 0], twelve >> 4)
    head = b"P5 128 96 4095\n"
    (tmp_path / "a.pgm").write_bytes(head + twelve.astype(">u2").tobytes())
    assert np.abs(shown(tmp_path / "a.pgm")[..., 0].astype(int) - (twelve >> 4)).max() <= 1


def test_a_white_mark_over_twelve_bits_makes_them_no_sixteen(tmp_path, twelve):
    twelve[:10, :10] = 65535
    with pytest.raises(SourceError, match=UNKNOWN):
        open_source(written(tmp_path, "grey.png", twelve), "still")


def test_a_picture_without_a_bit_in_use_is_black(tmp_path, twelve):
    assert not shown(written(tmp_path, "grey.png", twelve * 0)).any()


def test_a_photograph_of_sixteen_bits_stands_upright(tmp_path, twelve):
    turned = [(274, "H", 1, 6, True)]
    lying = np.rot90(twelve << 4).copy()
    tifffile.imwrite(tmp_path / "a.tif", lying, extratags=turned, metadata=None)
    assert np.array_equal(shown(tmp_path / "a.tif")[..., 0], twelve >> 4)


def test_a_window_over_eight_bits_is_refused(tmp_path, twelve):
    eight = np.repeat((twelve >> 4).astype(np.uint8)[..., None], 3, axis=2)
    Image.fromarray(eight).save(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "a.tif", eight, tile=(64, 64), photometric="rgb", metadata=None)
    tifffile.imwrite(tmp_path / "a.ome.tif", eight, tile=(64, 64), photometric="rgb")
    write_dicom_slide(tmp_path / "a.dcm", eight, syntax=ExplicitVRLittleEndian)
    for name, kind in {
        "a.png": "still",
        "a.tif": "slide",
        "a.ome.tif": "slide",
        "a.dcm": "slide",
    }.items():
        with pytest.raises(SourceError, match=rf"{name}: its samples have 8 bits, .* empty"):
            open_source(tmp_path / name, kind, 0.5, (0, 4095))


def test_cut_off_files_of_sixteen_bits_are_refused(tmp_path, twelve):
    for name in ("grey.png", "colour.png", "grey.tif", "colour.tif"):
        path = written(tmp_path, name, twelve << 4)
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        with pytest.raises(SourceError, match=name):
            open_source(path, "still")


def test_another_window_is_another_bag(tmp_path, twelve):
    written(tmp_path, "grey.png", twelve)
    stores = []
    for window in ("0-4095", "0-2047"):
        manifest = tmp_path / f"{window}.csv"
        head = "case_id,patient_id,path,kind,window"
        manifest.write_text(f"{head}\na,a,grey.png,still,{window}\n")
        done = decode(read_cohort(manifest, None), Whole(96), tmp_path / "store", Place(workers=0))
        assert not done.failures
        stores.append(done)
    first, second = (next(iter(done.bags.values())) for done in stores)
    assert first[1] != second[1]
    assert first[0].read(first[1]).values.mean() < second[0].read(second[1]).values.mean() - 30


@pytest.mark.data
@pytest.mark.parametrize("case", ["grey12", "twelve-of-16-bits"])
def test_cases_of_twelve_bits_are_named_by_check_and_read_through_a_window(shared, tmp_path, case):
    drawn = tmp_path if case == "grey12" else shared / "cases"
    if case == "grey12":
        make = [sys.executable, str(shared / "cases/make.py"), str(tmp_path)]
        subprocess.run(make, check=True)
    manifest = drawn / case / "cohort.csv"
    cohort = read_cohort(manifest, None)
    audit = check_cohort(cohort)
    faults = [f.what for f in audit.findings if f.problem == "unreadable image"]
    assert len(faults) == audit.losses.images == len(cohort.cases)
    assert all(re.search(UNKNOWN, fault) for fault in faults)
    path = cohort.cases[1].images[0].path
    found = shown(path, "still", (0, 4095))[..., 0]
    assert np.array_equal(found, in_window(np.asarray(Image.open(path)), 0, 4095))
