"""A small cohort of real files, and one thing after the other going wrong with it."""

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from wholecase.audit import Audit, Count, SpacingCount, check_cohort, render_text
from wholecase.cohort import Labels, read_cohort

LABELS = Labels(classes=(("no", ("no",)), ("yes", ("yes", "oui"))), ignore=("unclear",))
PATIENTS = 12


@pytest.fixture
def make(tmp_path):
    """Write a cohort of two images a patient; `rows` are further ones, `edit` mends the folder."""

    def picture(name, seed):
        pixels = np.random.default_rng(seed).integers(0, 256, (40, 40, 3), np.uint8)
        Picture.fromarray(pixels).save(tmp_path / name)

    def build(*rows, classes=2):
        lines = ["case_id,patient_id,path,label,kind,mpp,site,mask"]
        for i in range(PATIENTS * classes):
            label = ("no", "yes")[i % classes]
            for j in range(2):
                picture(f"{i}-{j}.png", 2 * i + j)
                lines.append(f"c{i},p{i},{i}-{j}.png,{label},tile,0.5,{'ns'[i % 2]},")
        (tmp_path / "cohort.csv").write_text("\n".join([*lines, *rows]) + "\n")
        return tmp_path / "cohort.csv"

    build.picture = picture
    return build


def check(path, **options) -> Audit:
    return check_cohort(read_cohort(path, LABELS), **options)


def only(audit):
    (finding,) = audit.findings
    return finding


def test_a_sound_cohort_is_counted_and_nothing_found(make):
    audit = check(make(), asked_spacing_um=0.5)
    assert audit.findings == ()
    assert not audit.failed
    assert audit.counts == (
        Count("all", "", 24, 24, 48),
        Count("label", "no", 12, 12, 24),
        Count("label", "yes", 12, 12, 24),
        Count("kind", "tile", 24, 24, 48),
        Count("site", "n", 12, 12, 24),
        Count("site", "s", 12, 12, 24),
    )
    assert audit.spacings == (SpacingCount(0.5, "manifest", 48),)


def test_an_ignored_label_is_counted_and_its_images_left_alone(make):
    audit = check(make("x,px,nowhere.png,unclear,tile,,,"))
    assert audit.counts[-1] == Count("ignored label", "unclear", 1, 1, 1)
    assert audit.findings == ()


@pytest.mark.parametrize(
    ("content", "problem", "said"),
    [
        (None, "missing file", "no such file"),
        (b"", "empty file", "empty"),
        (b"no image at all", "unreadable image", "known format"),
        ("cut", "unreadable image", "truncated"),
    ],
)
def test_a_bad_image_costs_that_image(make, tmp_path, content, problem, said):
    path = make()
    image = tmp_path / "3-1.png"
    whole = image.read_bytes()
    image.unlink()
    if content is not None:
        image.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    audit = check(path)
    finding = only(audit)
    assert audit.failed
    assert (finding.severity, finding.problem, finding.costs) == ("error", problem, "image")
    assert finding.where == "line 9, case 'c3'"
    assert str(image) in finding.what
    assert said in finding.what
    assert audit.spacings == (SpacingCount(0.5, "manifest", 47),)


def test_a_case_without_a_usable_image_is_lost(make, tmp_path):
    path = make()
    (tmp_path / "3-0.png").unlink()
    (tmp_path / "3-1.png").write_bytes(b"")
    assert [finding.costs for finding in check(path).findings] == ["case", "case"]


def test_spacing_is_an_error_only_where_it_is_asked_for(make):
    row = "x,px,x.png,no,{},{},n,"
    make.picture("x.png", 1000)
    path = make(row.format("slide", ""))
    finding = only(check(path))
    assert (finding.severity, finding.problem) == ("warning", "no spacing")
    finding = only(check(path, asked_spacing_um=0.5))
    assert (finding.severity, finding.problem, finding.costs) == ("error", "no spacing", "case")
    assert "column 'mpp'" in finding.what
    assert check(path).spacings[-1] == SpacingCount(None, "", 1)
    tile = make(row.format("tile", ""))
    assert check(tile).findings == ()
    assert check(tile, asked_spacing_um=0.5).findings == (), "a ready tile is not cut"


def test_an_image_coarser_than_asked_is_refused_beyond_a_tenth(make):
    make.picture("x.png", 1000)
    assert check(make("x,px,x.png,no,slide,0.55,n,"), asked_spacing_um=0.5).findings == ()
    path = make("x,px,x.png,no,slide,0.56,n,")
    finding = only(check(path, asked_spacing_um=0.5))
    assert (finding.problem, finding.costs) == ("too coarse", "case")
    assert "0.56 µm/px (from manifest) is too coarse for the 0.5 asked" in finding.what
    assert not check(path).failed


def test_copies_are_told_by_who_has_them(make, tmp_path):
    def copies(row, source="0-0.png"):
        path = make(row)
        name = row.split(",")[2]
        (tmp_path / name).write_bytes((tmp_path / source).read_bytes())
        return only(check(path))

    finding = copies("c2,p2,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.costs) == ("error", "run")
    assert finding.problem == "same file under two patients"
    assert finding.where == "lines 2, 50"
    assert "0-0.png" in finding.what
    assert "copy.png" in finding.what
    assert "'p0', 'p2'" in finding.what
    finding = copies("x,p0,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.problem) == ("warning", "same file in two cases")
    assert "'c0', 'x'" in finding.what
    finding = copies("c0,p0,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.problem) == ("warning", "same file twice in a case")


def test_one_path_under_two_patients_is_a_copy_too(make):
    finding = only(check(make("c2,p2,0-0.png,no,tile,0.5,n,")))
    assert finding.problem == "same file under two patients"


def test_files_of_one_size_and_other_content_are_no_copies(make, tmp_path):
    path = make()
    for name in ("0-0.png", "1-0.png"):
        pixels = np.full((40, 40, 3), int(name[0]), np.uint8)
        Picture.fromarray(pixels).save(tmp_path / name, "BMP")
    assert (tmp_path / "0-0.png").stat().st_size == (tmp_path / "1-0.png").stat().st_size
    assert check(path).findings == ()


def test_a_missing_mask_is_a_warning(make, tmp_path):
    make.picture("x.png", 1000)
    path = make("x,px,x.png,no,tile,0.5,n,mask.png")
    finding = only(check(path))
    assert (finding.severity, finding.problem) == ("warning", "missing mask")
    assert str(tmp_path / "mask.png") in finding.what
    make.picture("mask.png", 5)
    assert check(path).findings == ()


def test_patients_and_classes_are_looked_at(make):
    make.picture("x.png", 1000)
    finding = only(check(make("x,p0,x.png,oui,tile,0.5,n,")))
    assert finding.problem == "patient of several classes"
    assert finding.where == "patient 'p0'"
    assert "no and yes" in finding.what
    finding = only(check(make("x,P0,x.png,no,tile,0.5,n,")))
    assert finding.problem == "similar patient ids"
    assert finding.where == "patients 'p0', 'P0'"
    finding = only(check(make("x,px,x.png,oui,tile,0.5,n,", classes=1)))
    assert (finding.severity, finding.problem) == ("warning", "few patients")
    assert finding.where == "class 'yes'"
    finding = only(check(make(classes=1)))
    assert (finding.severity, finding.problem, finding.costs) == ("error", "empty class", "run")


def test_every_image_advances_once(make):
    seen = []
    check(make(), advance=lambda: seen.append(1))
    assert len(seen) == 48


def test_the_text_is_aligned_grouped_and_short(make, tmp_path):
    path = make()
    for i in range(8):
        (tmp_path / f"{i}-0.png").unlink()
    text = render_text(check(path))
    lines = text.splitlines()
    assert lines[0] == str(path)
    assert "label  cases  patients  images" in lines
    assert "no        12        12      24" in lines
    assert "0.5 from manifest      40" in lines
    assert "error: missing file (8)" in lines
    assert sum("no such file" in line for line in lines) == 5
    assert "  and 3 more" in lines
    assert lines[-1] == "Errors: 8, warnings: 0."
    assert render_text(check(make())).endswith("\nNo problem found.\n")


@pytest.mark.parametrize("broken", [None, "centre", "end"])
def test_a_slide_whose_pixels_cannot_be_decoded_is_noticed(make, tmp_path, broken):
    """Such a file opens: only reading at its centre and its end finds out."""
    pixels = np.random.default_rng(0).integers(0, 256, (768, 768, 3), np.uint8)
    slide = tmp_path / "x.tif"
    tifffile.imwrite(slide, pixels, tile=(256, 256), compression="jpeg", photometric="rgb")
    if broken:
        tile = 4 if broken == "centre" else 8
        with tifffile.TiffFile(slide) as file:
            page = file.pages[0]
            start, size = page.dataoffsets[tile], page.databytecounts[tile]
        content = bytearray(slide.read_bytes())
        content[start : start + size] = bytes(size)
        slide.write_bytes(content)
    path = make("x,px,x.tif,no,slide,0.5,n,")
    if broken is None:
        assert check(path).findings == ()
    else:
        finding = only(check(path))
        assert (finding.problem, finding.costs) == ("unreadable image", "case")


def test_errors_come_first(make):
    make.picture("x.png", 1000)
    audit = check(make("x,px,x.png,no,tile,0.5,n,none.png", "y,py,x.png,no,tile,0.5,n,"))
    assert [(finding.severity, finding.problem) for finding in audit.findings] == [
        ("error", "same file under two patients"),
        ("warning", "missing mask"),
    ]


@pytest.mark.data
def test_real_slides_are_told_by_spacing_and_failure(shared):
    cohort = read_cohort(shared / "data" / "wsi-small" / "cohort.csv", None)
    audit = check_cohort(cohort, asked_spacing_um=0.5)
    assert {finding.where: finding.problem for finding in audit.findings} == {
        "line 3, case 'camelyon_multi_frame_jpeg2000'": "too coarse",
        "line 4, case 'TCGA-XK-AAJU-01A-01-TS1_small'": "unreadable image",
    }
    assert [(s.um, s.images) for s in audit.spacings] == [(0.499, 1), (28.97, 1)]
    problems = [finding.problem for finding in check_cohort(cohort, asked_spacing_um=30.0).findings]
    assert problems == ["unreadable image"]


@pytest.mark.data
def test_a_real_copy_is_found(shared):
    cohort = read_cohort(shared / "data" / "nih-cxr-pneumonia" / "cohort.csv", None)
    assert [finding.problem for finding in check_cohort(cohort).findings] == [
        "same file in two cases"
    ]
