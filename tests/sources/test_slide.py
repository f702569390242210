"""Slides through OpenSlide: pixels as they are, and damage that costs no more than it must."""

import os

import numpy as np
import openslide
import pytest

from wholecase.core.errors import SourceError
from wholecase.sources import OpenSlideSource, PlainSource, open_source
from wholecase.sources.tiff import TiffSource


def test_lossless_levels_come_back_exactly(texture, write_slide):
    with open_source(write_slide(texture), "slide") as source:
        assert [(v.width_px, v.height_px) for v in source.levels] == [
            (1000, 700),
            (500, 350),
            (250, 175),
        ]
        assert source.header.stored_tile_px == (256, 256)
        assert np.array_equal(source.read(0, 0, 1000, 700), texture)
        level_1 = source.read(0, 0, 500, 350, 1)
        assert np.array_equal(source.read(200, 100, 50, 60, 1), level_1[50:110, 100:150])


def test_a_forked_child_reads_through_a_handle_of_its_own(texture, write_slide):
    if not hasattr(os, "fork"):
        pytest.skip("this system does not fork")
    with open_source(write_slide(texture), "slide") as source:
        handle = source._handle
        source._process = -1  # what a child sees: another process opened the handle
        assert np.array_equal(source.read(300, 300, 64, 64), texture[300:364, 300:364])
        assert source._handle is not handle


def test_damage_costs_its_region_only(texture, write_slide):
    path = write_slide(texture, compression="zlib")
    good, bad = (0, 0, 200, 200), (300, 300, 100, 100)
    with open_source(path, "slide") as source:
        before = source.read(*good)
    _scratch_tile(path, 5)  # the tile of column 1, row 1
    with open_source(path, "slide") as source:
        for _ in range(2):
            with pytest.raises(SourceError, match=r"slide\.tif: .* at \(300, 300\), level 0"):
                source.read(*bad)
            assert np.array_equal(source.read(*good), before)


def _read_all(path):
    with open_source(path, "slide") as source:
        for index, level in enumerate(source.levels):
            source.read(0, 0, level.width_px, level.height_px, index)


def _scratch_tile(path, index):
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        start, count = page.dataoffsets[index], page.databytecounts[index]
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\x00" * count)


@pytest.mark.parametrize("share", [0.001, 0.02, 0.3, 0.6, 0.9, 0.999])
def test_a_slide_cut_off_anywhere_is_a_source_error(texture, write_slide, share):
    path = write_slide(texture, "a.svs", description="Aperio x\n|MPP = 0.5", compression="jpeg")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError, match=r"a\.svs: "):
        _read_all(path)


def test_text_with_the_name_of_a_slide(tmp_path):
    path = tmp_path / "a.svs"
    path.write_text("this is no slide\n" * 1000)
    with pytest.raises(SourceError, match=r"a\.svs: not a slide that OpenSlide knows"):
        open_source(path, "slide")


def test_a_mirax_index_without_its_folder_is_not_taken_for_its_preview(tmp_path):
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "a.mrxs", format="JPEG")
    with pytest.raises(SourceError, match=r"a\.mrxs: the folder 'a' .* is missing"):
        open_source(tmp_path / "a.mrxs", "slide")


def test_a_flat_picture_of_a_slide_is_read_with_the_manifests_spacing(texture, tmp_path):
    from PIL import Image

    for name in ("a.png", "a.bmp", "strips.tif"):
        Image.fromarray(texture).save(tmp_path / name)
        with open_source(tmp_path / name, "slide", 0.5) as source:
            assert isinstance(source, PlainSource)
            assert source.spacing is not None
            assert source.spacing.um == 0.5
            assert np.array_equal(source.read(10, 20, 30, 40), texture[20:60, 10:40])


def test_a_tiled_tiff_that_openslide_refuses_is_not_read_as_flat(texture, write_slide):
    path = write_slide(texture)
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(SourceError), open_source(path, "slide") as source:
        source.read(0, 0, 250, 175, 2)


@pytest.mark.data
@pytest.mark.parametrize("reader", [OpenSlideSource, TiffSource])
def test_a_real_region_equals_openslide(shared, reader):
    path = shared / "data/wsi-small/slides/CMU-1-Small-Region.svs"
    direct = openslide.OpenSlide(path).read_region((700, 900), 0, (300, 200)).convert("RGB")
    with reader(path) as source:
        assert source.header.stored_tile_px == (240, 240)
        assert np.array_equal(source.read(700, 900, 300, 200), np.asarray(direct))


@pytest.mark.data
@pytest.mark.parametrize("kilobytes", [1, 10, 100, 900, 1800])
def test_a_real_slide_cut_off_anywhere(shared, tmp_path, kilobytes):
    whole = (shared / "data/wsi-small/slides/CMU-1-Small-Region.svs").read_bytes()
    path = tmp_path / "a.svs"
    path.write_bytes(whole[: kilobytes * 1000])
    with pytest.raises(SourceError, match=r"a\.svs: "):
        _read_all(path)
