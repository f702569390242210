"""What every source promises, tried on every implementation that the table leads to."""

from pathlib import Path

import cv2
import h5py
import numpy as np
import pytest
import tifffile
from PIL import Image
from pydicom.uid import JPEG2000Lossless, RLELossless

from toys.dicom_slides import TILE, tiles, write_dicom_slide
from toys.hounsfield import HounsfieldSeries, volume
from wholecase.instances import Instances
from wholecase.instances.reading import stream
from wholecase.sources import SOURCES, open_source, read_box, thumbnail

FILES = {
    "slide": (
        *("pyramid.tif", "levels.svs", "flat.png", "subifds.tif", "colours.ome.tif"),
        *("jpeg2000.tif", "full.dcm", "sparse.dcm", "series"),
    ),
    "tile": ("flat.png", "flat.jpg", "many.h5#1"),
    "still": ("flat.png", "grey.png", "sixteen.png"),
    "ct": ("series.npy",),
}
READERS = {**SOURCES, "ct": HounsfieldSeries}
"""The table, and what it does not lead to yet."""
ALL = [(kind, name) for kind in READERS for name in FILES[kind]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("images")
    coarse = np.random.default_rng(1).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (800, 600), interpolation=cv2.INTER_CUBIC)
    Image.fromarray(pixels).save(folder / "flat.png")
    Image.fromarray(pixels).save(folder / "flat.jpg")
    Image.fromarray(pixels[..., 0]).save(folder / "grey.png")
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 256).save(folder / "sixteen.png")
    said = {"resolution": (20000, 20000), "resolutionunit": 3}
    _write_pyramid(folder / "pyramid.tif", pixels, said)
    with h5py.File(folder / "many.h5", "w") as file:
        file["x"] = np.stack([255 - pixels, pixels])
    _write_pyramid(folder / "levels.svs", pixels, {"description": "Aperio x\n|MPP = 0.5"})
    _write_pyramid(folder / "jpeg2000.tif", pixels, {"compression": "jpeg2000"})
    _write_layers(folder / "subifds.tif", pixels, {"photometric": "rgb"})
    colours = np.moveaxis(pixels, 2, 0)
    _write_layers(folder / "colours.ome.tif", colours, {"photometric": "minisblack"}, axes="CYX")
    _write_dicom(folder, pixels)
    np.save(folder / "series.npy", volume(seed=1, slices=3, height=600, width=800))
    return folder


def _write_pyramid(path: Path, pixels: np.ndarray, said: dict) -> None:
    with tifffile.TiffWriter(path) as file:
        for level in range(3):
            options = {"tile": (128, 128), "compression": "jpeg", "photometric": "rgb"} | said
            file.write(pixels, metadata=None, subfiletype=int(level > 0), **options)
            pixels = pixels[::2, ::2]


def _write_layers(path: Path, pixels: np.ndarray, said: dict, **metadata: str) -> None:
    # levels in SubIFDs; with axes, an OME-TIFF of one page per colour
    with tifffile.TiffWriter(path, ome=bool(metadata)) as file:
        for level in range(3):
            options = {"tile": (128, 128), "compression": "zlib"} | said
            place = {"subfiletype": 1} if level else {"subifds": 2, "metadata": metadata or None}
            file.write(pixels, **options, **place)
            pixels = pixels[..., ::2, ::2] if metadata else pixels[::2, ::2]


def _write_dicom(folder: Path, pixels: np.ndarray) -> None:
    write_dicom_slide(folder / "full.dcm", pixels, syntax=JPEG2000Lossless)
    places = [(x, y, 0.0) for y in range(0, 600, TILE) for x in range(0, 800, TILE)]
    frames = tiles(pixels)
    write_dicom_slide(
        folder / "sparse.dcm", pixels, frames[::-1], syntax=RLELossless, places=places[::-1]
    )
    (folder / "series").mkdir()
    for level in range(3):
        write_dicom_slide(folder / f"series/{level}.dcm", pixels, SeriesInstanceUID="1.2.3")
        pixels = pixels[::2, ::2]


@pytest.fixture(autouse=True)
def _all_readers(monkeypatch):
    monkeypatch.setitem(SOURCES, "ct", HounsfieldSeries)


@pytest.fixture(params=ALL, ids="-".join)
def source(request, folder):
    kind, name = request.param
    with open_source(folder / name, kind) as source:
        yield source


def test_levels_shrink_from_one(source):
    assert source.levels[0].downsample == 1.0
    assert [v.downsample for v in source.levels] == sorted(v.downsample for v in source.levels)
    first = source.levels[0]
    for level in source.levels:
        assert level.width_px == pytest.approx(first.width_px / level.downsample, abs=1)
        assert level.height_px == pytest.approx(first.height_px / level.downsample, abs=1)


def test_regions_agree_with_the_whole(source):
    for index, level in enumerate(source.levels):
        whole = source.read(0, 0, level.width_px, level.height_px, index)
        assert whole.shape == (level.height_px, level.width_px, source.kind.channels)
        assert whole.dtype == source.kind.dtype
        factor = round(level.downsample)
        for x, y, width, height in [(0, 0, 1, 1), (13, 57, 90, 31), (100, 3, 64, 130)]:
            region = source.read(x * factor, y * factor, width, height, index)
            assert np.array_equal(region, whole[y : y + height, x : x + width])


def test_a_box_at_a_levels_own_size_is_that_levels_pixels(source):
    for index, level in enumerate(source.levels):
        factor = round(level.downsample)
        box_px = 48 * factor, 16 * factor, 70 * factor, 50 * factor
        assert np.array_equal(
            read_box(source, box_px, (70, 50)), source.read(*box_px[:2], 70, 50, index)
        )


def test_a_stream_holds_each_instances_own_pixels(source):
    boxes = np.array([(x, y, 64, 64) for y in range(0, 500, 160) for x in range(700, 0, -90)])
    instances = Instances(
        box_px=boxes,
        position_um=np.zeros((len(boxes), 3), np.float32),
        scale=np.ones(len(boxes), np.float32),
        side_px=64,
    )
    seen = []
    for indices, pixels in stream(source, instances, batch=7):
        seen.extend(indices.tolist())
        for index, one in zip(indices, pixels, strict=True):
            assert np.array_equal(one, source.read(*boxes[index].tolist()))
    assert sorted(seen) == list(range(len(boxes)))


def test_outside_is_what_the_kind_says(source):
    outside = source.kind.outside
    width, height = source.levels[0].width_px, source.levels[0].height_px
    for x, y in [(-50, -50), (width, 0), (0, height), (width + 7, -9999)]:
        assert np.all(source.read(x, y, 40, 40) == outside)
    corner = source.read(width - 20, height - 10, 40, 30)
    assert np.array_equal(corner[:10, :20], source.read(width - 20, height - 10, 20, 10))
    assert np.all(corner[10:] == outside)
    assert np.all(corner[:, 20:] == outside)
    corner = source.read(-30, -20, 40, 40)
    assert np.array_equal(corner[20:, 30:], source.read(0, 0, 10, 20))
    assert np.all(corner[:20] == outside)


def test_a_place_holds_what_is_read_and_nothing_beside_it_changes(source):
    for index, level in enumerate(source.levels):
        for x, y in [
            (0, 0),
            (13, 57),
            (-9, 5),
            (level.width_px - 20, -4),
            (level.width_px + 50, 9),
        ]:
            corner = round(x * level.downsample), round(y * level.downsample)
            around = np.full((60, 80, source.kind.channels), 7, source.kind.dtype)
            source.read_into(around[10:50, 20:77], *corner, index)
            assert np.array_equal(around[10:50, 20:77], source.read(*corner, 57, 40, index))
            around[10:50, 20:77] = 7
            assert np.all(around == 7)


def test_what_was_read_belongs_to_the_reader(source):
    before = source.read(0, 0, 20, 20)
    source.read(0, 0, 20, 20)[:] = 7
    assert np.array_equal(source.read(0, 0, 20, 20), before)


def test_closing_closes(source):
    with source:
        source.read(0, 0, 8, 8)
    with pytest.raises(ValueError, match="is closed"):
        source.read(0, 0, 8, 8)
    with pytest.raises(ValueError, match="is closed"):
        source.read_into(np.zeros((8, 8, source.kind.channels), source.kind.dtype), 0, 0)
    source.close()  # twice does no harm


def test_spacing_is_positive_or_none_with_a_reason(source):
    if source.spacing is None:
        assert source.header.spacing_note
    else:
        assert source.spacing.um > 0
        assert source.spacing.rung


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_the_manifests_spacing_goes_first(folder, kind, name):
    with open_source(folder / name, kind, 0.3) as source:
        assert source.spacing is not None
        assert (source.spacing.um, source.spacing.rung) == (0.3, "manifest")


def test_stored_tiles_are_positive_or_none(source):
    assert source.header.stored_tile_px is None or min(source.header.stored_tile_px) > 0


def test_a_level_that_is_not_there_is_an_error(source):
    for level in (-1, len(source.levels)):
        with pytest.raises(ValueError, match="level"):
            source.read(0, 0, 8, 8, level)
        with pytest.raises(ValueError, match="level"):
            source.read_into(np.zeros((8, 8, source.kind.channels), source.kind.dtype), 0, 0, level)


def test_each_plane_is_read_by_its_number_and_no_other_is_there(source):
    planes = source.planes_um
    assert planes == tuple(sorted(planes))
    assert planes == tuple(dict.fromkeys(planes))
    read = [source.read(5, 7, 30, 20, plane=number) for number in range(len(planes))]
    assert np.array_equal(read[0], source.read(5, 7, 30, 20))
    assert len({one.tobytes() for one in read}) == len(planes)
    for number in (-1, len(planes)):
        with pytest.raises(ValueError, match="plane"):
            source.read(5, 7, 30, 20, plane=number)


def test_the_thumbnail_shows_the_whole(source):
    small = thumbnail(source, 80)
    assert small.pixels.shape == (60, 80, source.kind.channels)
    assert small.downsample == pytest.approx(10.0)
    size_px = source.levels[0].width_px, source.levels[0].height_px
    whole = source.read(0, 0, *size_px, plane=len(source.planes_um) // 2)
    assert np.abs(small.pixels.mean(axis=(0, 1)) - whole.mean(axis=(0, 1))).max() < 3


def test_the_path_is_kept_for_messages(source, folder):
    assert source.path.parent == folder
