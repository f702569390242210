"""A small cohort of real files, and one thing after the other going wrong with it."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from audit.lethal import LethalPath
from toys.feature_files import clam_h5, clam_pt
from wholecase.audit import (
    Audit,
    Count,
    Losses,
    SpacingCount,
    check_cohort,
    render_text,
    write_page,
)
from wholecase.cohort import Labels, nested, read_cohort, read_leniently

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
                lines.append(f"c{i},p{i},{i}-{j}.png,{label},tile,0.5,{'ns'[i // 2 % 2]},")
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

    finding = copies("c4,p4,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.costs) == ("error", "run")
    assert finding.problem == "same file under two patients"
    assert finding.where == "lines 2, 50"
    assert "0-0.png" in finding.what
    assert "copy.png" in finding.what
    assert "'p0', 'p4'" in finding.what
    finding = copies("x,p0,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.problem) == ("warning", "same file in two cases")
    assert "'c0', 'x'" in finding.what
    finding = copies("c0,p0,copy.png,no,tile,0.5,n,")
    assert (finding.severity, finding.problem) == ("warning", "same file twice in a case")


def test_one_path_under_two_patients_is_a_copy_too(make):
    finding = only(check(make("c4,p4,0-0.png,no,tile,0.5,n,")))
    assert finding.problem == "same file under two patients"


def test_files_of_one_size_and_other_content_are_no_copies(make, tmp_path):
    path = make()
    for name in ("0-0.png", "1-0.png"):
        pixels = np.random.default_rng(int(name[0])).integers(0, 255, (40, 40, 3), np.uint8)
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
        "line 4, case 'TCGA-XK-AAJU-01A-01-TS1_small'": "no spacing",
    }
    assert [(s.um, s.images) for s in audit.spacings] == [(0.499, 1), (28.97, 1), (None, 1)]
    problems = [finding.problem for finding in check_cohort(cohort, asked_spacing_um=30.0).findings]
    assert problems == ["no spacing"]


@pytest.mark.data
def test_a_real_copy_is_found(shared):
    cohort = read_cohort(shared / "data" / "nih-cxr-pneumonia" / "cohort.csv", None)
    assert [finding.problem for finding in check_cohort(cohort).findings] == [
        "same file in two cases"
    ]


def test_a_reader_that_dies_costs_one_image(make):
    read = read_cohort(make(), LABELS)
    first, *others = read.cases
    lethal = replace(first.images[0], path=LethalPath(first.images[0].path))
    broken = replace(first, images=(lethal, first.images[1]))
    audit = check_cohort(replace(read, cases=(broken, *others)), workers=2)
    finding = only(audit)
    assert (finding.problem, finding.costs) == ("image that breaks its reader", "image")
    assert "worker process died (exit code 11)" in finding.what
    assert finding.where == "line 2, case 'c0'"
    assert audit.spacings == (SpacingCount(0.5, "manifest", 47),)


def test_workers_change_nothing(make, tmp_path):
    path = make("x,px,none.png,no,tile,0.5,n,")
    (tmp_path / "3-0.png").write_bytes(b"")
    assert check(path, workers=2) == check(path)


def test_losses_are_summed_up(make, tmp_path):
    path = make()
    for name in ("3-0.png", "3-1.png", "5-0.png"):
        (tmp_path / name).unlink()
    (tmp_path / "6-0.png").write_bytes(b"x")
    audit = check(path)
    assert audit.losses == Losses(4, 1, (("missing file", 3), ("unreadable image", 1)))
    assert (
        "A run would start, and leave out what cannot be used. A run would lose 4 images and "
        "1 case: missing file 3, unreadable image 1."
    ) in render_text(audit)


def nest(cohort):
    return nested(cohort, folds=5, validation=0.2, seed=1)


def test_the_division_is_tried(make, tmp_path):
    assert check(make(), divide=nest).findings == ()
    rows = [f"x{i},px{i},{i}-0.png,unclear,tile,,n," for i in range(3)]
    few = read_cohort(make(*rows), LABELS)
    scarce = replace(few, cases=tuple(c for c in few.cases if c.target == 0 or c.id == "c1"))
    problems = {f.problem: f for f in check_cohort(scarce, divide=nest).findings}
    finding = problems["no division into folds"]
    assert (finding.severity, finding.costs) == ("error", "run")
    assert "patients of class 'yes': 1, but 5 folds need 5" in finding.what


def test_a_fold_that_the_losses_empty_is_told(make, tmp_path):
    cohort = read_cohort(make(), LABELS)
    split = nest(cohort)
    for case in split.folds[2].test:
        for image in case.images:
            image.path.unlink()
    found = check_cohort(cohort, divide=lambda _: split).findings
    (finding,) = [finding for finding in found if finding.costs == "run"]
    count = len(split.folds[2].test)
    assert finding.what.startswith(f"without the {count} lost cases, fold 2 has an empty test side")


def test_every_mistake_of_the_manifest_is_told(make):
    path = make(
        "x,,x.png,maybe,tile,0.5,n,", "y,py,y.png,no,tyle,0.5,n,", "c0,p0,0-0.png,no,tile,99,n,"
    )
    read = read_leniently(path, LABELS)
    audit = check_cohort(read.cohort, mistakes=read.mistakes)
    assert [finding.where for finding in audit.findings] == [
        "line 50, column 'patient_id'",
        "line 50, column 'label'",
        "line 51, column 'kind'",
        "line 52, column 'mpp'",
    ]
    assert {finding.costs for finding in audit.findings} == {"run"}
    assert audit.counts[0].images == 48, "the sound rows are checked all the same"
    assert "A run would not start: 4 errors must be mended first." in render_text(audit)


def scene(seed):
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 12, 3), np.uint8)
    return Picture.fromarray(small).resize((200, 200), Picture.Resampling.BICUBIC)


def test_the_same_picture_is_a_warning_across_patients_and_a_count_within(make, tmp_path):
    scene(1).save(tmp_path / "a.png")
    scene(1).rotate(90).save(tmp_path / "b.jpg")
    scene(2).save(tmp_path / "c.png")
    scene(2).resize((150, 150)).save(tmp_path / "d.png")
    within = "c0,p0,c.png,no,tile,0.5,n,", "c0,p0,d.png,no,tile,0.5,n,"
    audit = check(make("c0,p0,a.png,no,tile,0.5,n,", "c4,p4,b.jpg,no,tile,0.5,n,", *within))
    finding = only(audit)
    assert (finding.severity, finding.costs) == ("warning", "nothing")
    assert finding.problem == "same picture under two patients"
    assert finding.where == "lines 50, 51"
    assert "a.png (patient 'p0', no)" in finding.what
    assert "b.jpg (patient 'p4', no)" in finding.what
    assert [[look.image.path.name for look in group] for group in audit.alike.within] == [
        ["c.png", "d.png"]
    ]
    assert (
        "52 images compared: the same picture is in 2 files in 1 group across patients and in "
        "2 files in 1 group within a patient."
    ) in render_text(audit)


def test_one_picture_with_two_labels_is_told(make, tmp_path):
    scene(1).save(tmp_path / "a.png")
    scene(1).resize((150, 150)).save(tmp_path / "b.png")
    path = make("x,p0,a.png,no,tile,0.5,n,", "y,p0,b.png,yes,tile,0.5,n,")
    finding = next(f for f in check(path).findings if "picture" in f.problem)
    assert finding.problem == "same picture with two labels"
    assert "a.png (no)" in finding.what
    assert "b.png (yes)" in finding.what
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    problems = [finding.problem for finding in check(path).findings]
    assert "same file with two labels" in problems
    assert not any("picture" in problem for problem in problems), "one file is told of once"


def test_what_goes_with_the_label_alone_is_told(make):
    path = make()
    for what in ("site", "magnification"):
        lines = path.read_text().splitlines()
        cells = [line.split(",") for line in lines[1:]]
        for row in cells:
            if what == "site":
                row[6] = f"of {row[3]}"
            else:
                row[5], row[6] = {"no": "0.25", "yes": "0.499"}[row[3]], "n"
        path.write_text("\n".join([lines[0], *map(",".join, cells)]) + "\n")
        finding = only(check(path))
        assert (finding.where, finding.severity) == (what, "warning")
    assert "no: 40x; yes: 20x" in finding.what
    assert [(p.power, p.is_given, p.cases, p.images) for p in check(path).powers] == [
        (20.0, False, 12, 24),
        (40.0, False, 12, 24),
    ]


@pytest.mark.parametrize(
    ("asked", "there"), [("Präparat.PNG", "präparat.png"), ("Pra\u0308p.png", "Pr\u00e4p.png")]
)
def test_a_name_that_another_system_spells_otherwise_is_told(make, tmp_path, asked, there):
    make.picture(there, 1000)
    path = make(f"x,px,{asked},no,tile,0.5,n,")
    if (tmp_path / asked).exists():
        pytest.skip("this system takes both names for one")
    finding = only(check(path))
    assert finding.problem == "missing file"
    assert f"there is {there!r}, spelt otherwise" in finding.what


def test_feature_files_are_read_as_a_run_reads_them(make, tmp_path):
    values = np.random.default_rng(0).normal(size=(12, 8))
    clam_h5(tmp_path / "a.h5", values)
    clam_pt(tmp_path / "b.pt", values + 1)
    rows = [f"f{i},pf{i},{name},no,features,,n," for i, name in enumerate(("a.h5", "b.pt"))]
    assert check(make(*rows), asked_spacing_um=0.5).findings == ()
    for name in ("a.h5", "b.pt"):
        content = bytearray((tmp_path / name).read_bytes())
        (tmp_path / name).write_bytes(content[: len(content) // 2])
    found = check(make(*rows, "f2,pf2,c.pt,no,features,,n,")).findings
    assert [finding.problem for finding in found] == [
        "unreadable image",
        "unreadable image",
        "missing file",
    ]


def test_the_page_stands_alone(make, tmp_path):
    scene(1).save(tmp_path / "a&b.png")
    scene(1).rotate(90).save(tmp_path / "b.jpg")
    path = make("c0,p0,a&b.png,no,tile,0.5,n,", "c4,p4,b.jpg,no,tile,0.5,n,")
    (tmp_path / "3-0.png").unlink()
    page = write_page(check(path), tmp_path / "deep" / "check.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2
    assert "http" not in page
    assert "<script src" not in page
    assert "a&amp;b.png" in page
    assert "A run would lose 1 image, and no case: missing file 1." in page
    assert "same picture under two patients" in page.lower()
    assert page.count("<table") == page.count("</table>") > 4
