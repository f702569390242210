"""Flat images of any mode arrive as upright 8-bit RGB on white, or are refused by name."""

import numpy as np
import pytest
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import open_source
from wholecase.sources.plain import FORMATS, opened


def pixels(path, kind="still"):
    with open_source(path, kind) as source:
        level = source.levels[0]
        return source.read(0, 0, level.width_px, level.height_px)


def test_colour_comes_back_exactly(texture, tmp_path):
    Image.fromarray(texture).save(tmp_path / "a.png")
    assert np.array_equal(pixels(tmp_path / "a.png"), texture)


def test_grey_and_palette_become_colour(texture, tmp_path):
    grey = Image.fromarray(texture[..., 0])
    grey.save(tmp_path / "grey.png")
    assert np.array_equal(pixels(tmp_path / "grey.png"), np.repeat(texture[..., :1], 3, axis=2))
    palette = Image.fromarray(texture).convert("P")
    palette.save(tmp_path / "palette.png")
    assert np.array_equal(pixels(tmp_path / "palette.png"), np.asarray(palette.convert("RGB")))


def test_sixteen_bits_keep_the_high_byte(tmp_path):
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    for name in ("a.png", "a.tif"):
        Image.fromarray(values).save(tmp_path / name)
        assert pixels(tmp_path / name)[0, :, 0].tolist() == [0, 0, 1, 128, 255]


def test_black_and_white_bits(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").tolist() == [[[255] * 3, [0] * 3]]


def test_transparency_lies_on_white(tmp_path):
    clear, half, solid = (10, 20, 30, 0), (0, 0, 0, 128), (10, 20, 30, 255)
    Image.fromarray(np.array([[clear, half, solid]], np.uint8)).save(tmp_path / "a.png")
    assert pixels(tmp_path / "a.png").tolist() == [[[255] * 3, [127] * 3, [10, 20, 30]]]
    grey = np.array([[[40, 0], [40, 255]]], np.uint8)
    Image.fromarray(grey, mode="LA").save(tmp_path / "grey.png")
    assert pixels(tmp_path / "grey.png").tolist() == [[[255] * 3, [40] * 3]]


def test_a_photograph_stands_upright(texture, tmp_path):
    upright = Image.fromarray(texture)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 270° to show
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "a.png"), texture)


def test_printers_inks_become_colour(texture, tmp_path):
    Image.fromarray(texture).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    difference = pixels(tmp_path / "a.jpg").astype(int) - texture
    assert np.abs(difference).mean() < 10


def test_floating_point_is_refused(tmp_path):
    Image.fromarray(np.array([[0.5]], np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(SourceError, match=r"a\.tif: float32 pixels"):
        open_source(tmp_path / "a.tif", "still")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.bmp"])
@pytest.mark.parametrize("share", [0.001, 0.05, 0.5, 0.97])
def test_an_image_cut_off_anywhere_is_refused(texture, tmp_path, name, share):
    path = tmp_path / name
    Image.fromarray(texture).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: max(1, int(len(content) * share))])
    with pytest.raises(SourceError, match=name):
        open_source(path, "tile")


def test_a_bomb_is_refused_and_the_processes_own_limit_stays(tmp_path):
    limit = Image.MAX_IMAGE_PIXELS
    Image.new("1", (20000, 20000)).save(tmp_path / "a.png", compress_level=1)
    with pytest.raises(SourceError, match=r"a\.png: too many pixels .* pyramidal TIFF"):
        open_source(tmp_path / "a.png", "still")
    assert limit == Image.MAX_IMAGE_PIXELS


def test_a_large_photograph_is_no_bomb_and_no_warning(tmp_path):
    Image.new("1", (10000, 9500)).save(tmp_path / "a.png", compress_level=1)
    with opened(tmp_path / "a.png") as image:  # Pillow itself would warn
        assert image.width == 10000


def test_formats_that_run_programs_are_left_out():
    assert not {"EPS", "WMF", "PSD"} & set(FORMATS)


@pytest.mark.data
def test_real_images_of_all_sets(shared):
    kinds = {"busi-ultrasound": "still", "lc25000-lung": "tile", "ct-ich-slices": "still"}
    for folder, kind in kinds.items():
        files = sorted((shared / "data" / folder).rglob("*.jp*g"))[:3]
        assert files
        for path in files:
            direct = np.asarray(Image.open(path).convert("RGB"))
            assert np.array_equal(pixels(path, kind), direct)
