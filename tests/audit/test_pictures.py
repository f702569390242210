"""What `check` tells of pictures that show nothing, or are one of several in their file."""

import numpy as np
import pytest
from PIL import Image

from wholecase.audit import check_cohort
from wholecase.cohort import read_cohort
from wholecase.core.errors import ManifestError

PICTURES = [np.random.default_rng(n).integers(0, 255, (40, 50, 3), np.uint8) for n in range(3)]


def check(folder, *paths):
    rows = [f"c{i},p{i},{path},a,still" for i, path in enumerate(paths)]
    lines = ["case_id,patient_id,path,label,kind", *rows]
    (folder / "cohort.csv").write_text("\n".join(lines), encoding="utf-8")
    return check_cohort(read_cohort(folder / "cohort.csv", None), workers=0)


@pytest.mark.parametrize("value", [0, 255])
def test_one_value_is_an_error(tmp_path, value):
    Image.new("L", (40, 50), value).save(tmp_path / "a.png")
    (finding,) = check(tmp_path, "a.png").findings
    assert (finding.severity, finding.costs) == ("error", "case")
    assert f"one value ({value} of 255)" in finding.what


def test_several_pictures_and_those_named(tmp_path):
    first, *rest = map(Image.fromarray, PICTURES)
    first.save(tmp_path / "a.tif", save_all=True, append_images=rest)
    (finding,) = check(tmp_path, "a.tif").findings
    assert "holds several pictures" in finding.what
    assert check(tmp_path, "a.tif#0", "a.tif#2").findings == ()
    (finding,) = check(tmp_path, "a.tif#0", "a.tif#3").findings
    assert "no such picture in the file" in finding.what


def test_a_picture_that_is_one_of_several_is_told(tmp_path):
    first, small = Image.fromarray(PICTURES[0]), Image.fromarray(PICTURES[1][:9, :9])
    first.save(tmp_path / "a.tif", save_all=True, append_images=[small])
    (finding,) = check(tmp_path, "a.tif").findings
    assert (finding.severity, finding.problem) == ("warning", "image read in part")
    assert "the first of 2 pictures is read" in finding.what


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/environ", "x" * 300])
def test_what_is_no_file(tmp_path, name):
    (finding,) = check(tmp_path, name).findings
    assert (finding.problem, finding.costs) == ("no file", "case")


@pytest.mark.parametrize("name", ["b\x1b[1A\x1b[2K.png", "a\0b.png"])
def test_control_characters_in_names_are_refused_and_shown_escaped(tmp_path, name):
    Image.fromarray(PICTURES[0]).save(tmp_path / "a.png")
    with pytest.raises(ManifestError, match="control character") as caught:
        check(tmp_path, "a.png", name)
    assert not {"\x1b", "\0"} & set(str(caught.value))
