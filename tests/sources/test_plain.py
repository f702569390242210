"""Flat images of any mode arrive as upright 8-bit RGB on white, or are refused by name."""

import functools
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import open_source
from wholecase.sources.plain import FORMATS, opened
from wholecase.sources.samples import on_white


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


@pytest.mark.parametrize("alpha", [255, 254, 128, 0])
def test_one_pixel_that_is_not_opaque_is_seen(alpha):
    rgba = np.random.default_rng(2).integers(0, 256, (9, 11, 4), dtype=np.uint8)
    rgba[..., 3] = 255
    rgba[4, 6, 3] = alpha
    share = rgba[..., 3:] / 255
    wanted = rgba[..., :3] * share + 255 * (1 - share)
    assert np.abs(on_white(rgba) - wanted).max() <= 0.5


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


@pytest.mark.parametrize("level", [0, 6])
def test_pixels_of_a_png_are_held_to_their_checksum(texture, tmp_path, level):
    """Neither decoder nor zlib need meet a flipped bit: the sum of a stored block is its last."""
    path = tmp_path / "a.png"
    Image.fromarray(texture[:64, :64]).save(path, compress_level=level)
    sound = path.read_bytes()
    assert np.array_equal(pixels(path), texture[:64, :64])
    data = bytearray(sound)
    data[sound.rindex(b"IEND") - 20] ^= 4  # the last pixels, or the sum of all
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"a\.png: damaged"):
        pixels(path)
    if level == 0:  # anywhere else
        data = bytearray(sound)
        data[sound.index(b"IDAT") + 1000] ^= 4
        path.write_bytes(data)
        with pytest.raises(SourceError, match=r"a\.png: damaged"):
            pixels(path)
    path.write_bytes(sound[: sound.rindex(b"IEND") - 6])  # all pixels are there
    assert np.array_equal(pixels(path), texture[:64, :64])


def test_a_jpeg_is_not_read_past_its_damage(texture, tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(texture).save(path, quality=90)
    sound = path.read_bytes()
    content = bytearray(sound)
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"damaged or truncated \(Corrupt JPEG data"):
        pixels(path)
    # some cameras leave bytes behind the last that is asked for, and so does some damage
    path.write_bytes(sound[:-2] + bytes(9) + sound[-2:])
    with open_source(path, "still") as source:
        (note,) = source.notes
    assert note.startswith("perhaps damaged, its decoder complains (Corrupt JPEG data: ")
    path.write_bytes(sound)
    with open_source(path, "still") as source:
        assert source.notes == ()


def taller_png(path, bright, rows):
    Image.fromarray(bright).save(path)
    content = bytearray(path.read_bytes())
    content[20:24] = (len(bright) + rows).to_bytes(4, "big")
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    path.write_bytes(content)


def taller_tiff(path, bright, rows, **options):
    tifffile.imwrite(path, bright, photometric="rgb", metadata=None, **options)
    with tifffile.TiffFile(path) as file:
        tags = [file.pages[0].tags[name] for name in ("ImageLength", "RowsPerStrip")]
    content = bytearray(path.read_bytes())
    for tag in tags if options else tags[:1]:
        content[tag.valueoffset : tag.valueoffset + 2] = (len(bright) + rows).to_bytes(2, "little")
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "taller"),
    [
        ("a.png", taller_png),
        ("a.tif", taller_tiff),
        ("jpeg.tif", functools.partial(taller_tiff, compression="jpeg")),
    ],
)
@pytest.mark.parametrize("rows", [0, 1, 40])
def test_rows_that_a_file_claims_and_does_not_hold_are_not_made_up(
    texture, tmp_path, name, taller, rows
):
    bright = np.maximum(texture[:64, :64], 1)
    taller(tmp_path / name, bright, rows)
    if rows == 0:
        assert pixels(tmp_path / name).shape == (64, 64, 3)
        return
    with pytest.raises(SourceError, match=r"holds fewer pixels than it claims|truncated"):
        pixels(tmp_path / name)


def test_a_picture_with_a_black_edge_is_read(texture, tmp_path):
    black = texture.copy()
    black[-9:] = 0
    for name in ("a.png", "a.tif"):
        Image.fromarray(black).save(tmp_path / name)
        assert np.array_equal(pixels(tmp_path / name), black)
