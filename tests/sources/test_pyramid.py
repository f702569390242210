"""What a level must prove: it is stored, it has the proportions, and it shows the same."""

import struct

import cv2
import numpy as np
import pytest
import tifffile

from toys.dicom_slides import write_dicom_slide
from wholecase.core.errors import SourceError
from wholecase.instances import Grid, stream
from wholecase.sources import OpenSlideSource, open_source
from wholecase.sources.tiff import TiffSource

SPARSE = "Philips DP v1.0"


@pytest.fixture
def specimen():
    """[1200, 1500, 3] bright glass, and something stained at the lower right."""
    rng = np.random.default_rng(5)
    pixels = np.full((1200, 1500, 3), 244.0)
    y, x = np.mgrid[:1200, :1500]
    stained = (y - 900) ** 2 + (x - 1150) ** 2 < 220**2
    speckled = cv2.resize(rng.normal(0, 40, (75, 94)), (1500, 1200))
    pixels[stained] = np.array((190, 90, 150)) + speckled[stained][:, None]
    return (pixels + rng.normal(0, 3, pixels.shape)).clip(0, 255).astype(np.uint8)


def claim(path, tags, page=0):
    """Overwrite values of tags of a page (classic little-endian TIFF)."""
    content = bytearray(path.read_bytes())
    at = struct.unpack_from("<I", content, 4)[0]
    for _ in range(page):
        count = struct.unpack_from("<H", content, at)[0]
        at = struct.unpack_from("<I", content, at + 2 + 12 * count)[0]
    for i in range(struct.unpack_from("<H", content, at)[0]):
        entry = at + 2 + 12 * i
        tag, kind = struct.unpack_from("<HH", content, entry)
        if tag in tags:
            struct.pack_into("<H" if kind == 3 else "<I", content, entry + 8, tags[tag])
    path.write_bytes(content)
    return path


def lose(path, numbers, page=0):
    """Leave tiles of a page out: their bytes are counted as none."""
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = list(file.pages[page].databytecounts)
        for number in numbers:
            counts[number] = 0
        file.pages[page].tags["TileByteCounts"].overwrite(counts)
    return path


def write_levels(path, levels, subifds=False, **options):
    options = {"tile": (256, 256), "photometric": "rgb", "metadata": None} | options
    with tifffile.TiffWriter(path) as file:
        for number, pixels in enumerate(levels):
            place = {"subifds": len(levels) - 1} if subifds and not number else {}
            file.write(pixels, subfiletype=int(number > 0), **place, **options)
    return path


def halved(pixels, times):
    size = pixels.shape[1] // 2**times, pixels.shape[0] // 2**times
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def filled(pixels, tile):
    height, width = (-(-n // tile) * tile for n in pixels.shape[:2])
    whole = np.full((height, width, 3), 244, np.uint8)
    whole[: pixels.shape[0], : pixels.shape[1]] = pixels
    return whole


def sizes(source):
    return [(level.width_px, level.height_px) for level in source.levels]


READERS = {
    "openslide": {},
    "aperio": {"description": "Aperio x\n|MPP = 0.5", "name": "a.svs"},
    "tiff": {"compression": "lzma"},
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("tags", "stored"),
    [
        ({256: 60000}, r"stored 20 tiles where \d+ belong"),
        ({257: 60000}, r"stored 20 tiles where \d+ belong"),
        ({256: 60000, 257: 60000}, r"stored 20 tiles where 55225 belong"),
        ({256: 700}, "stored 20 tiles where 12 belong"),
        ({322: 128}, "stored 20 tiles where (40|36) belong"),
        ({322: 65520, 323: 65520}, "pieces of 65520 x 65520 px"),
        ({256: 0}, "a.svs: |a.tif: "),
    ],
    ids=str,
)
def test_tiles_that_are_claimed_and_not_stored(texture, write_slide, reader, tags, stored):
    options = {"name": "a.tif"} | READERS[reader]
    pixels = texture if reader == "tiff" else cv2.resize(texture, (1200, 1000))
    pixels = cv2.resize(texture, (1100, 900)) if reader == "tiff" else pixels
    path = claim(write_slide(pixels, levels=1, **options), tags)
    with pytest.raises(SourceError, match=stored):
        open_source(path, "slide")


@pytest.mark.parametrize("reader", READERS)
def test_tiles_lost_in_the_file(texture, write_slide, reader):
    options = {"name": "a.tif"} | READERS[reader]
    path = write_slide(texture, levels=1, tile=(128, 128), **options)
    with open_source(lose(path, [5]), "slide") as source:
        assert source.notes == (
            f"{'level' if reader == 'tiff' else 'page'} 0 left 1 of 48 tiles out; they are white",
        )
        assert np.all(source.read(640, 0, 128, 128) == 255)
    with pytest.raises(SourceError, match="stored 40 tiles where 48 belong"):
        open_source(lose(path, range(5, 13)), "slide")


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_ends_before_its_last_tiles(texture, write_slide, reader):
    options = {"name": "a.tif"} | READERS[reader]
    path = write_slide(texture, levels=1, tile=(128, 128), **options)
    with tifffile.TiffFile(path, mode="r+") as file:
        offsets = list(file.pages.first.dataoffsets)
        offsets[7] = path.stat().st_size + 10
        file.pages.first.tags["TileOffsets"].overwrite(offsets)
    with pytest.raises(SourceError, match=r"stored 47 tiles where 48 belong .*cut off"):
        open_source(path, "slide")


def test_a_lower_level_is_asked_too(texture, write_slide):
    path = lose(write_slide(texture, tile=(128, 128)), range(6), page=1)
    with pytest.raises(SourceError, match="stored 6 tiles where 12 belong"):
        open_source(path, "slide")


@pytest.mark.parametrize("subifds", [False, True], ids=["pages", "subifds"])
@pytest.mark.parametrize("factor", [1, 2], ids=["tile", "two tiles"])
def test_levels_filled_up_to_whole_tiles(specimen, tmp_path, subifds, factor):
    levels = [specimen, *(halved(specimen, n) for n in (1, 2))]
    padded = [levels[0], *(filled(one, 128 * factor) for one in levels[1:])]
    tags = {"resolution": (20000, 20000), "resolutionunit": 3, "tile": (128, 128)}
    found = []
    for name, stored in (("sound", levels), ("padded", padded)):
        path = write_levels(tmp_path / f"{name}.tif", stored, subifds, **tags)
        with open_source(path, "slide") as source:
            assert sizes(source) == [(1500, 1200), (750, 600), (375, 300)]
            tiles = Grid(32, 2.0, {"name": "classical"})(source)
            found.append((tiles.box_px, *next(stream(source, tiles, 500))))
    assert len(found[0][0]) > 10
    assert np.array_equal(found[0][0], found[1][0])
    assert np.array_equal(found[0][2], found[1][2])


@pytest.mark.parametrize("reader", ["openslide", "aperio", "tiff"])
@pytest.mark.parametrize("other", ["blank", "mirrored", "shifted", "enlarged"])
def test_a_level_that_shows_something_else_is_left_aside(specimen, tmp_path, reader, other):
    false = {
        "blank": np.full_like(specimen, 244),
        "mirrored": specimen[::-1, ::-1],
        "shifted": np.roll(specimen, 250, axis=1),
        "enlarged": cv2.resize(specimen[:800, :1000], (1500, 1200)),
    }[other]
    levels = [specimen, halved(false, 1), halved(specimen, 2)]
    options = dict(READERS[reader])
    path = write_levels(tmp_path / options.pop("name", "a.tif"), levels, **options)
    with open_source(path, "slide") as source:
        assert isinstance(source, TiffSource if reader == "tiff" else OpenSlideSource)
        assert sizes(source) == [(1500, 1200), (375, 300)]
        coarse = source.read(0, 0, 375, 300, 1).astype(int)
        assert np.abs(coarse - levels[2]).mean() < 2


@pytest.mark.parametrize("change", ["brighter", "nearest", "a pixel off", "noisy", "quarter"])
def test_levels_need_not_be_made_in_one_way(specimen, tmp_path, change):
    lower = {
        "brighter": (halved(specimen, 1) * 0.97).astype(np.uint8),
        "nearest": specimen[::2, ::2],
        "a pixel off": np.roll(halved(specimen, 1), 1, axis=(0, 1)),
        "noisy": (halved(specimen, 1) + np.random.default_rng(0).normal(0, 8, (600, 750, 3)))
        .clip(0, 255)
        .astype(np.uint8),
        "quarter": halved(specimen, 4),
    }[change]
    with open_source(write_levels(tmp_path / "a.tif", [specimen, lower]), "slide") as source:
        assert sizes(source)[1] == lower.shape[1::-1]


def test_a_dicom_instance_of_another_picture_is_no_level(specimen, tmp_path):
    same = {"SeriesInstanceUID": "1.2.3"}
    write_dicom_slide(tmp_path / "0.dcm", specimen, **same)
    write_dicom_slide(tmp_path / "1.dcm", np.ascontiguousarray(halved(specimen, 1)[::-1]), **same)
    write_dicom_slide(tmp_path / "2.dcm", halved(specimen, 2), **same)
    with open_source(tmp_path, "slide") as source:
        assert sizes(source) == [(1500, 1200), (375, 300)]
        assert np.abs(source.read(0, 0, 375, 300, 1).astype(int) - halved(specimen, 2)).mean() < 6


@pytest.mark.data
def test_a_real_slide_whose_tags_lie(shared, tmp_path):
    whole = (shared / "data/wsi-small/slides/CMU-1-Small-Region.svs").read_bytes()
    path = tmp_path / "a.svs"
    path.write_bytes(whole)
    with open_source(path, "slide") as source:
        assert (sizes(source), source.notes) == ([(2220, 2967)], ())
    with pytest.raises(SourceError, match="stored 130 tiles where 62500 belong"):
        open_source(claim(path, {256: 60000, 257: 60000}), "slide")
    path.write_bytes(whole)
    with pytest.raises(SourceError, match="stored 100 tiles where 130 belong"):
        open_source(lose(path, range(30)), "slide")


@pytest.mark.data
def test_the_padded_slide_gives_the_tiles_of_the_sound_one(shared):
    boxes = []
    for name in ("sound", "padded"):
        with open_source(shared / f"cases/padded-levels/{name}.tif", "slide") as source:
            boxes.append(Grid(64, 2.0, {"name": "classical"})(source).box_px)
    assert np.array_equal(*boxes)
    assert boxes[0][:, :2].min() > 2000
