"""The stream: every instance once, its own pixels, in file order, whatever the batch."""

from itertools import pairwise

import numpy as np
import openslide
import pytest
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.instances import Grid, Instances, Whole, stream
from wholecase.instances.reading import file_order
from wholecase.sources import mosaic, open_source
from wholecase.sources.tiff import TiffSource


def gathered(source, instances, batch=64):
    """Pixels in the order of the instances, after a check that each came once."""
    parts = list(stream(source, instances, batch))
    indices = np.concatenate([part for part, _ in parts])
    assert sorted(indices) == list(range(len(instances)))
    assert all(len(part) == batch for part, _ in parts[:-1])
    return np.concatenate([pixels for _, pixels in parts])[np.argsort(indices)]


def boxes(*rows, side_px=64):
    count = len(rows)
    return Instances(
        box_px=np.array(rows, np.int64),
        position_um=np.zeros((count, 3), np.float32),
        scale=np.zeros(count, np.float32),
        side_px=side_px,
    )


def test_the_batch_changes_nothing(write_slide, stained):
    with open_source(write_slide(stained, compression="jpeg"), "slide") as source:
        instances = Grid(side_px=96, spacing_um=0.8)(source)
        whole = gathered(source, instances, 1000)
        for batch in (1, 7, 64):
            assert np.array_equal(gathered(source, instances, batch), whole)


@pytest.mark.parametrize(("asked", "level"), [(0.5, 0), (1.0, 1), (2.0, 2)])
def test_stored_spacings_equal_openslide_bit_by_bit(write_slide, stained, asked, level):
    path = write_slide(stained, compression="jpeg")
    direct = openslide.OpenSlide(path)
    with open_source(path, "slide") as source:
        instances = Grid(side_px=80, spacing_um=asked)(source)
        for box, pixels in zip(instances.box_px, gathered(source, instances), strict=True):
            region = direct.read_region(tuple(box[:2].tolist()), level, (80, 80)).convert("RGB")
            assert np.array_equal(pixels, np.asarray(region))


def test_a_finer_level_is_averaged(write_slide, stained):
    with open_source(write_slide(stained, levels=1), "slide") as source:
        pixels = gathered(source, boxes((1000, 600, 192, 192)))[0]
        block = stained[600:792, 1000:1192].astype(float)
    assert np.abs(pixels - block.reshape(64, 3, 64, 3, 3).mean(axis=(1, 3))).max() <= 1


def test_instances_come_tile_row_by_tile_row(write_slide, stained):
    with open_source(write_slide(stained), "slide") as source:
        instances = boxes(
            (600, 10, 64, 64), (10, 300, 64, 64), (300, 90, 64, 64), (270, 20, 64, 64)
        )
        mixed = boxes((600, 10, 256, 256), (600, 10, 64, 64))
        # (column, row) of the stored tiles of 256: (2, 0) (0, 1) (1, 0) (1, 0)
        assert file_order(source, instances).tolist() == [3, 2, 0, 1]
        assert file_order(source, mixed).tolist() == [1, 0]


def test_no_stored_tile_is_left_and_visited_again_by_small_boxes(write_slide, stained):
    with open_source(write_slide(stained), "slide") as source:
        instances = Grid(side_px=64)(source)
        order = file_order(source, instances)
    visits = [tuple(corner // 256) for corner in instances.box_px[order, :2]]
    changes = 1 + sum(a != b for a, b in pairwise(visits))
    assert changes == len(set(visits))


def test_wide_slides_are_read_in_bands_that_stay_decoded(write_slide, stained, monkeypatch):
    tile, columns = 16, 8
    monkeypatch.setattr(mosaic, "SMALL_BYTES", 0)
    monkeypatch.setattr(mosaic, "CACHE_BYTES", 2 * (columns + 1) * tile * tile * 3)
    path = write_slide(stained[:128, :800], levels=1, tile=(tile, tile), compression="jpeg")
    corners = [(x, y) for y in range(0, 114, 14) for x in range(0, 786, 14)]
    instances = boxes(*((x, y, 14, 14) for x, y in corners), side_px=14)
    with TiffSource(path) as source:
        pixels = gathered(source, instances)
        decoded = source._painter._tile.cache_info().misses
        whole = source.read(0, 0, 800, 128)
    # each once, and a column at the seam of each band
    assert decoded < 50 * 8 * (1 + 1.2 / columns)
    for (x, y), part in zip(corners, pixels, strict=True):
        assert np.array_equal(part, whole[y : y + 14, x : x + 14])


def test_a_whole_image_is_squeezed_into_its_square(tmp_path):
    pixels = np.zeros((60, 120, 3), np.uint8)
    pixels[:, 60:] = 200
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with open_source(tmp_path / "a.png", "tile") as source:
        small = gathered(source, Whole(side_px=30)(source))[0]
        large = gathered(source, Whole(side_px=90)(source))[0]
    assert np.all(small[:, :15] == 0)
    assert np.all(small[:, 15:] == 200)
    assert large.shape == (90, 90, 3)
    assert large[:, :40].max() == 0
    assert large[:, 50:].min() == 200


def test_a_damaged_region_names_its_position(write_slide, stained):
    import tifffile

    path = write_slide(stained, compression="jpeg")
    with tifffile.TiffFile(path) as file:
        start, count = (file.pages[0].dataoffsets[10], file.pages[0].databytecounts[10])
    with path.open("r+b") as file:
        file.seek(start)
        file.write(b"\x00" * count)
    with (
        open_source(path, "slide") as source,
        pytest.raises(SourceError, match=r"slide\.tif: .* at \(256, 256\), level 0"),
    ):
        gathered(source, boxes((0, 0, 64, 64), (256, 256, 64, 64)))


@pytest.mark.data
def test_a_real_slide_equals_openslide(shared):
    path = shared / "data/wsi-small/slides/CMU-1-Small-Region.svs"
    direct = openslide.OpenSlide(path)
    with open_source(path, "slide") as source:
        instances = Grid(tissue={"name": "otsu"})(source)
        for box, pixels in zip(instances.box_px, gathered(source, instances, 16), strict=True):
            region = direct.read_region(tuple(box[:2].tolist()), 0, (224, 224)).convert("RGB")
            assert np.array_equal(pixels, np.asarray(region))
