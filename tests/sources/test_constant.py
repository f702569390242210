"""A picture of one single value is told; one other pixel, wherever it is, makes it a picture."""

import numpy as np
import pytest
from PIL import Image

from wholecase.core.errors import SourceError
from wholecase.sources import open_source, refuse_one_value


@pytest.mark.parametrize("value", [0, 7, 255])
@pytest.mark.parametrize("size", [(1, 2), (40, 30), (1, 500)])
@pytest.mark.parametrize("kind", ["still", "tile"])
def test_flat_pictures(tmp_path, value, size, kind):
    pixels = np.full((*size, 3), value, np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    with (
        open_source(tmp_path / "a.png", kind) as source,
        pytest.raises(
            SourceError, match=rf"a\.png: all its pixels have one value \({value} of 255"
        ),
    ):
        refuse_one_value(source)
    pixels[size[0] // 3, size[1] // 3, 1] ^= 1
    Image.fromarray(pixels).save(tmp_path / "b.png")
    with open_source(tmp_path / "b.png", kind) as source:
        refuse_one_value(source)


@pytest.mark.parametrize("levels", [1, 3])
def test_slides(write_slide, levels):
    blank = np.full((700, 1000, 3), 244, np.uint8)
    with (
        open_source(write_slide(blank, levels=levels), "slide") as source,
        pytest.raises(SourceError, match="one value"),
    ):
        refuse_one_value(source)
    blank[500:520, 700:720] = 90
    with open_source(write_slide(blank, "b.tif", levels=levels), "slide") as source:
        refuse_one_value(source)


def test_what_cannot_be_read_is_not_judged(texture, write_slide):
    path = write_slide(texture, levels=1, compression="jpeg")
    content = bytearray(path.read_bytes())
    content[1000 : len(content) - 2000] = bytes(len(content) - 3000)
    path.write_bytes(content)
    with open_source(path, "slide") as source:
        refuse_one_value(source)


def test_a_colour_counts_as_one_value(tmp_path):
    Image.new("RGB", (9, 9), (200, 10, 10)).save(tmp_path / "a.png")
    with (
        open_source(tmp_path / "a.png", "still") as source,
        pytest.raises(SourceError, match=r"\(200 10 of 255\)"),
    ):
        refuse_one_value(source)


def test_of_a_series_the_middle_counts(tmp_path):
    import nibabel

    def write(name, value):
        volume = np.full((9, 9, 5), -1000, np.int16)
        volume[2:5, 2:5, 2] = value
        nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), tmp_path / name)
        return tmp_path / name

    with open_source(write("head.nii", 40), "ct") as source:
        refuse_one_value(source)
    with (
        open_source(write("air.nii", -1000), "ct") as source,
        pytest.raises(SourceError, match=r"one value \(-1000 HU\)"),
    ):
        refuse_one_value(source)
