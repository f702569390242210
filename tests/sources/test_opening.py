"""What cannot be opened is told in one sentence, by path."""

import os

import pytest

from wholecase.core.errors import SourceError
from wholecase.sources import SOURCES, open_source


@pytest.mark.parametrize("kind", SOURCES)
def test_files_that_are_no_images(tmp_path, kind):
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("no image")
    said = {
        "missing.png": "no such file; correct the path",
        "folder.png": "a folder, not an image",
        "empty.png": "the file is empty",
        "text.png": "not a",
    }
    for name, sentence in said.items():
        with pytest.raises(SourceError, match=f"{name}: {sentence}"):
            open_source(tmp_path / name, kind)


def test_a_file_without_rights(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(SourceError, match="cannot be read"):
        open_source(path, "tile")


def test_an_unknown_kind_is_told_its_neighbour(tmp_path):
    with pytest.raises(SourceError, match="did you mean 'slide'"):
        open_source(tmp_path / "a.png", "slid")


@pytest.mark.parametrize("mpp", [0.0, -0.5, float("nan")])
def test_a_spacing_that_cannot_be(tmp_path, mpp):
    with pytest.raises(SourceError, match="column mpp is implausible"):
        open_source(tmp_path / "a.png", "still", mpp)


def test_a_radiograph_may_have_large_pixels(tmp_path):
    from PIL import Image

    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    with open_source(tmp_path / "a.png", "still", 700.0) as source:
        assert source.spacing is not None
        assert source.spacing.um == 700.0


def test_a_series_that_is_not_there_is_a_sentence(tmp_path):
    for name in ("a.nii", "folder", "folder#4", "a.zip"):
        with pytest.raises(SourceError, match="no such file; correct the path in the manifest"):
            open_source(tmp_path / name, "ct")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="empty: a folder, not an image, and empty; give that of"):
        open_source(tmp_path / "empty", "ct")
