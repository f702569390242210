"""JPEG slides tile by tile: what OpenSlide shows of them, and OpenSlide where it shows more."""

import cv2
import numpy as np
import pytest
import tifffile

from wholecase.core.errors import SourceError
from wholecase.sources import OpenSlideSource, open_source, shown_by_openslide
from wholecase.sources.tiff import TiffSource

SAID = "Aperio Image Library v11\r\n1000x700 [0,0 1000x700] (240x240) JPEG/RGB Q=70"
APERIO = f"{SAID}|AppMag = 20|StripeWidth = 2040|MPP = 0.4990|Left = 25.7"
PLAIN = {"tile": (256, 256), "resolution": (20000, 20000), "resolutionunit": 3}
SCANNED = {"tile": (240, 240), "description": APERIO}
FULL, HALF, QUARTER = (1, 1), (2, 1), (2, 2)


def write(path, pixels, *, photometric="ycbcr", subsampling=QUARTER, **options):
    """Levels page by page; of Aperio with thumbnail, label and macro between and behind them."""
    jpeg = {"compression": "jpeg", "compressionargs": {"level": 70}, "metadata": None}
    colours = {"photometric": photometric, "subsampling": subsampling}
    scanned = "description" in options
    with tifffile.TiffWriter(path) as file:
        for level in range(3):
            place = {"subfiletype": int(level > 0 and not scanned)}
            file.write(pixels[:: 2**level, :: 2**level], **place, **jpeg, **colours, **options)
            if scanned and level == 0:
                small = cv2.resize(pixels, (300, 210), interpolation=cv2.INTER_AREA)
                file.write(small, photometric="rgb", rowsperstrip=16, **jpeg)
        if scanned:
            for kind, number in (("label", 1), ("macro", 9)):
                said = {"description": f"Aperio Image Library v11\r\n{kind} 400x400"}
                page = pixels[:400, :400]
                file.write(page, photometric="rgb", subfiletype=number, **said, **jpeg)
    return path


@pytest.mark.parametrize("form", [PLAIN, SCANNED], ids=["plain", "aperio"])
@pytest.mark.parametrize(
    ("photometric", "subsampling"),
    [("ycbcr", QUARTER), ("ycbcr", HALF), ("ycbcr", FULL), ("rgb", FULL)],
)
def test_both_readers_agree_to_the_pixel(texture, tmp_path, form, photometric, subsampling):
    given = {"photometric": photometric, "subsampling": subsampling, **form}
    path = write(tmp_path / "a.tif", texture, **given)
    with open_source(path, "slide") as ours, OpenSlideSource(path) as theirs:
        assert isinstance(ours, TiffSource)
        assert (ours.header.reader, theirs.header.reader) == ("tiff", "openslide")
        assert ours.levels == theirs.levels
        assert [level.width_px for level in ours.levels] == [1000, 500, 250]
        assert (ours.spacing, ours.notes) == (theirs.spacing, ())
        assert ours.header.stored_tile_px == theirs.header.stored_tile_px
        assert shown_by_openslide(ours)
        for number, level in enumerate(ours.levels):
            box = -40, -80, level.width_px + 60, level.height_px + 90, number
            assert np.array_equal(ours.read(*box), theirs.read(*box))


def reader_of(path):
    with open_source(path, "slide") as source:
        source.read(0, 0, 300, 300)
        return source.header.reader


@pytest.mark.parametrize("form", [PLAIN, SCANNED], ids=["plain", "aperio"])
def test_a_tile_that_is_left_out_is_left_to_openslide(texture, tmp_path, form):
    path = write(tmp_path / "a.tif", texture, **form | {"tile": (64, 64)})
    assert reader_of(path) == "tiff"
    with tifffile.TiffFile(path, mode="r+") as file:
        counts = list(file.pages.first.databytecounts)
        counts[3] = 0
        file.pages.first.tags["TileByteCounts"].overwrite(counts)
    assert reader_of(path) == "openslide"


@pytest.mark.parametrize("compression", ["lzw", 33003, 33005])
def test_what_is_no_jpeg_is_left_to_openslide(texture, tmp_path, compression):
    options = {"tile": (240, 240), "photometric": "rgb", "description": APERIO, "metadata": None}
    # tifffile writes JPEG 2000 under a number of its own
    written = compression if compression == "lzw" else 34712
    tifffile.imwrite(tmp_path / "a.svs", texture, compression=written, **options)
    if written != compression:
        with tifffile.TiffFile(tmp_path / "a.svs", mode="r+") as file:
            file.pages.first.tags["Compression"].overwrite(compression)
    assert reader_of(tmp_path / "a.svs") == "openslide"


def test_pages_that_do_not_say_that_they_are_levels_are_none(texture, tmp_path):
    options = {"photometric": "rgb", "compression": "jpeg", "metadata": None} | PLAIN
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(texture, **options)
        file.write(texture[::2, ::2], **options)
    with open_source(tmp_path / "a.tif", "slide") as source:
        assert (source.header.reader, len(source.levels)) == ("openslide", 1)


@pytest.mark.parametrize("subifds", [0, 1])
def test_damage_that_libjpeg_would_fill_in_is_refused(texture, tmp_path, subifds):
    path = tmp_path / "a.tif"
    options = {"photometric": "ycbcr", "compression": "jpeg", "metadata": None} | PLAIN
    with tifffile.TiffWriter(path) as file:
        file.write(texture, subifds=subifds, **options)
        file.write(texture[::2, ::2], subfiletype=1, **options)
    with tifffile.TiffFile(path) as file:
        start, count = (v[5] for v in (file.pages[0].dataoffsets, file.pages[0].databytecounts))
    content = bytearray(path.read_bytes())
    at = start + count // 2
    content[at : at + 40] = b"\xff\xd3" * 20
    path.write_bytes(content)
    with open_source(path, "slide") as source:
        assert source.header.reader == "tiff"
        with pytest.raises(SourceError, match=r"at \(256, 256\), level 0, .*Corrupt JPEG data"):
            source.read(300, 300, 50, 50)
        assert np.ptp(source.read(0, 0, 200, 200)) > 50


@pytest.mark.data
def test_a_real_slide(shared):
    path = shared / "data/wsi-small/slides/CMU-1-Small-Region.svs"
    with open_source(path, "slide") as ours, OpenSlideSource(path) as theirs:
        assert isinstance(ours, TiffSource)
        assert (ours.levels, ours.spacing, ours.notes) == (theirs.levels, theirs.spacing, ())
        level = ours.levels[0]
        whole = ours.read(0, 0, level.width_px, level.height_px)
        assert np.array_equal(whole, theirs.read(0, 0, level.width_px, level.height_px))
