"""Boxes of any size: the right level, averaged by area, in bounded memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.kinds import KINDS
from wholecase.sources import Level, level_for, open_source, read_box, thumbnail
from wholecase.sources.region import BLOCK_PX, resized


def block_mean(pixels, factor):
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    cut = pixels[: height * factor, : width * factor].astype(float)
    return cut.reshape(height, factor, width, factor, 3).mean(axis=(1, 3))


def test_reduction_is_the_mean_of_each_block(texture):
    small = resized(texture, (200, 140))
    assert np.abs(small - block_mean(texture, 5)).max() <= 1


def test_a_thumbnail_keeps_the_shape_and_says_its_downsample(texture, write_slide):
    with open_source(write_slide(texture), "slide") as source:
        small = thumbnail(source, 100)
        assert small.pixels.shape == (70, 100, 3)
        assert small.downsample == 10.0
        assert np.abs(small.pixels - block_mean(texture, 10)).max() <= 5  # from level 2, in parts
        large = thumbnail(source, 5000)
        assert large.downsample == 1.0
        assert np.array_equal(large.pixels, texture)


def test_a_thumbnail_of_a_thin_image_has_at_least_one_row(tmp_path):
    from PIL import Image

    Image.new("RGB", (1000, 2)).save(tmp_path / "a.png")
    with open_source(tmp_path / "a.png", "still") as source:
        assert thumbnail(source, 100).pixels.shape == (1, 100, 3)


def test_a_level_that_must_not_be_read_whole_is_read_in_blocks(tmp_path):
    import cv2
    from PIL import Image

    coarse = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
    pixels = cv2.resize(coarse, (5003, 3001), interpolation=cv2.INTER_LINEAR)
    Image.fromarray(pixels).save(tmp_path / "a.bmp")
    with open_source(tmp_path / "a.bmp", "still") as source:
        largest = 0
        read = source.read

        def watched(x, y, width, height, level=0, plane=0):
            nonlocal largest
            largest = max(largest, width, height)
            return read(x, y, width, height, level)

        source.read = watched
        blocks = read_box(source, (0, 0, 5003, 3001), (500, 300))
    assert largest <= BLOCK_PX
    at_once = resized(pixels, (500, 300))
    # seams may shift by half a pixel of the level, a twentieth of one here
    assert np.abs(blocks.astype(int) - at_once).max() <= 4
    assert np.abs(blocks.astype(int) - at_once).mean() < 0.5


@pytest.mark.parametrize(
    ("downsample", "level"),
    [(0.5, 0), (1.0, 0), (3.9, 0), (3.97, 1), (4.0, 1), (15.0, 1), (99.0, 2)],
)
def test_the_nearest_finer_level_or_one_equal_within_a_hundredth(downsample, level):
    levels = [Level(1600, 1600, 1.0), Level(400, 400, 4.0), Level(100, 100, 16.0)]
    assert level_for(levels, downsample) == level


def test_a_box_is_read_from_its_level(texture, write_slide):
    with open_source(write_slide(texture), "slide") as source:
        level_1 = source.read(200, 100, 64, 64, 1)
        assert np.array_equal(read_box(source, (200, 100, 128, 128), (64, 64)), level_1)
        reduced = read_box(source, (200, 100, 192, 192), (64, 64))
        assert np.array_equal(reduced, resized(source.read(200, 100, 96, 96, 1), (64, 64)))


def test_an_oblong_box_is_averaged_where_it_shrinks_and_interpolated_where_it_grows():
    stripes = np.zeros((4, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    small = resized(stripes, (32, 8))
    assert small.shape == (8, 32, 3)
    assert np.all(small == 100)


@given(
    st.sampled_from(sorted(KINDS)),
    st.integers(0, 2**32 - 1),
    st.tuples(*[st.integers(1, 40)] * 4),
)
def test_samples_of_every_kind_stay_of_their_type_and_range(name, seed, sides):
    kind, bounds = KINDS[name], np.iinfo(KINDS[name].dtype)
    rng = np.random.default_rng(seed)
    low, high = sorted(rng.integers(bounds.min, bounds.max, 2, endpoint=True).tolist())
    shape = sides[0], sides[1], kind.channels
    pixels = rng.integers(low, high, shape, kind.dtype, endpoint=True)
    found = resized(pixels, (sides[2], sides[3]))
    assert found.shape == (sides[3], sides[2], kind.channels)
    assert found.dtype == kind.dtype
    assert low <= found.min() <= found.max() <= high
