"""Files of several pictures: refused, or one is named; what lies beside the first is told."""

import numpy as np
import pytest
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import fingerprint, members, open_source, split_page

PICTURES = [
    np.full((20, 30, 3), 10, np.uint8) + np.arange(n, n + 30, dtype=np.uint8)[:, None]
    for n in (0, 60, 120)
]
ANIMATED = {"a.gif": {}, "a.png": {}, "a.webp": {"lossless": True}, "a.tif": {}}


def save(path, pictures, **options):
    first, *rest = [Image.fromarray(one) for one in pictures]
    first.save(path, save_all=True, append_images=rest, **options)
    return path


@pytest.mark.parametrize("name", ANIMATED)
@pytest.mark.parametrize("kind", ["still", "tile"])
def test_several_pictures_are_refused_and_one_may_be_named(tmp_path, name, kind):
    path = save(tmp_path / name, PICTURES, **ANIMATED[name])
    with pytest.raises(SourceError, match=rf"several pictures.*{name}#0 is the first"):
        open_source(path, kind)
    for number, picture in enumerate(PICTURES):
        with open_source(tmp_path / f"{name}#{number}", kind) as source:
            pixels = source.read(0, 0, 30, 20).astype(int)
        assert np.abs(pixels - picture).max() <= (8 if name == "a.gif" else 0)
    with pytest.raises(SourceError, match="no such picture in the file"):
        open_source(tmp_path / f"{name}#3", kind)


@pytest.mark.parametrize("name", ANIMATED)
def test_a_single_picture_is_what_it_is(tmp_path, name):
    path = save(tmp_path / name, PICTURES[:1], **ANIMATED[name])
    with open_source(path, "still") as source:
        assert source.notes == ()
        assert np.abs(source.read(0, 0, 30, 20).astype(int) - PICTURES[0]).max() <= 8


def test_smaller_pages_are_told_and_larger_ones_refused(tmp_path):
    small = PICTURES[1][:10, :15]
    with open_source(save(tmp_path / "a.tif", [PICTURES[0], small]), "still") as source:
        assert np.array_equal(source.read(0, 0, 30, 20), PICTURES[0])
        assert source.notes == ("the first of 2 pictures is read, the others are smaller",)
    with pytest.raises(SourceError, match="several pictures"):
        open_source(save(tmp_path / "b.tif", [small, PICTURES[0]]), "still")


def test_a_named_page_is_known_by_its_pixels(tmp_path):
    path = save(tmp_path / "a.tif", [*PICTURES, PICTURES[0]])
    assert members(tmp_path / "a.tif#2") == (path,)
    names = [fingerprint(tmp_path / f"a.tif#{n}") for n in range(4)]
    assert names[0] == names[3]
    assert len(set(names)) == 3


def test_a_file_of_that_very_name_goes_first(tmp_path):
    Image.fromarray(PICTURES[0]).save(tmp_path / "a#1.png")
    (tmp_path / "a#1.png").rename(tmp_path / "a.png#1")
    assert split_page(tmp_path / "a.png#1") is None
    with open_source(tmp_path / "a.png#1", "still") as source:
        assert np.array_equal(source.read(0, 0, 30, 20), PICTURES[0])


def test_a_page_is_no_slide_and_its_file_must_be_there(tmp_path):
    with pytest.raises(SourceError, match="call it a tile"):
        open_source(tmp_path / "a.tif#1", "slide")
    with pytest.raises(SourceError, match="no such file"):
        open_source(tmp_path / "a.tif#1", "tile")


@pytest.mark.parametrize("tile", [None, (64, 64)])
def test_a_stack_of_sections_is_no_slide(texture, tmp_path, tile):
    import tifffile

    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for pixels in (texture, texture[::-1].copy()):
            file.write(pixels, photometric="rgb", metadata=None, tile=tile)
    with pytest.raises(SourceError, match=r"several pictures|2 pictures of one size"):
        open_source(tmp_path / "a.tif", "slide")


def test_a_smaller_picture_beside_a_tiled_one_is_told(texture, tmp_path):
    import tifffile

    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for pixels in (texture, texture[:300, :400]):
            file.write(pixels, photometric="rgb", metadata=None, tile=(64, 64))
    with open_source(tmp_path / "a.tif", "slide") as source:
        assert source.notes == ("the first of 2 pictures is read",)
        assert len(source.levels) == 1
