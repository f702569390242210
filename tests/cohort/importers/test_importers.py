"""Folders as people have them become manifests that are read."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from wholecase.cohort import read_cohort
from wholecase.cohort.importers import (
    Draft,
    DraftRow,
    class_folders,
    slide_folder,
    tile_folders,
    write_manifest,
)
from wholecase.core.errors import ManifestError


@pytest.fixture
def folder(tmp_path):
    """Empty files at the given paths: an importer looks at names alone."""

    def build(*names):
        for name in names:
            path = tmp_path / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return tmp_path / "images"

    return build


def written(draft, tmp_path, name="cohort.csv"):
    return read_cohort(write_manifest(draft, tmp_path / name), None)


def told(cohort):
    return {
        case.id: (case.patient, case.label, case.split, [i.path.name for i in case.images])
        for case in cohort.cases
    }


EGFR = (
    "EGFR_positive/p1/b.png",
    "EGFR_positive/p1/a.png",
    "EGFR_positive/p2/a.png",
    "EGFR_negative/n1/a.png",
    "EGFR_negative/n1/deeper/c.jpg",
    "EGFR_negative/n1/notes.txt",
    "EGFR_negative/n1/._a.png",
    "EGFR_positive_aug/p1/a_flip.png",
    "EGFR_negative_aug/n1/a_flip.png",
    "EGFR_positive_cnn/p1/x.png",
    "EGFR_negative_cnn/n2/x.png",
)


def test_tile_folders_give_a_case_per_patient_with_copies_that_never_test(folder, tmp_path):
    cohort = written(tile_folders(folder(*EGFR)), tmp_path)
    assert told(cohort) == {
        "n1": ("n1", "EGFR_negative", None, ["a.png", "c.jpg", "a_flip.png"]),
        "n2": ("n2", "EGFR_negative", None, ["x.png"]),
        "p1": ("p1", "EGFR_positive", None, ["a.png", "b.png", "x.png", "a_flip.png"]),
        "p2": ("p2", "EGFR_positive", None, ["a.png"]),
    }
    images = [image for case in cohort.cases for image in case.images]
    assert {image.path.name for image in images if image.train_only} == {"a_flip.png"}
    assert {image.kind for image in images} == {"tile"}
    assert all(image.path.is_file() for image in images)


def test_tile_folders_of_a_test_cohort_split_it(folder, tmp_path):
    root = folder(*EGFR, "C-S-EGFR_positive/t1/a.png", "C-S-EGFR_negative/t2/a.png")
    cohort = written(tile_folders(root), tmp_path)
    assert {case.id: (case.label, case.split) for case in cohort.cases} == {
        "n1": ("EGFR_negative", "train"),
        "n2": ("EGFR_negative", "train"),
        "p1": ("EGFR_positive", "train"),
        "p2": ("EGFR_positive", "train"),
        "t1": ("EGFR_positive", "test"),
        "t2": ("EGFR_negative", "test"),
    }


@pytest.mark.parametrize(
    ("other", "said"),
    [("EGFR_negative/p1/z.png", "two labels"), ("C-S-EGFR_positive/p1/z.png", "two sides")],
)
def test_a_patient_in_two_folders_is_refused_unless_they_count_anew(folder, tmp_path, other, said):
    root = folder(*EGFR, other)
    with pytest.raises(ManifestError, match=f"patient 'p1' has {said}.*--ids-by-folder"):
        tile_folders(root)
    cohort = written(tile_folders(root, ids_by_folder=True), tmp_path)
    base = other.split("/")[0]
    assert f"{base}-p1" in cohort.patients
    first = next(case for case in cohort.cases if case.id == "EGFR_positive-p1")
    assert len(first.images) == 4, "copies and further tiles stay with their patient"


def test_tiles_in_no_patients_folder_are_told(folder):
    draft = tile_folders(folder(*EGFR, "EGFR_positive/stray.png"))
    assert len(draft.left_out) == 1
    assert "EGFR_positive: 1 images lie in no patient's folder" in draft.left_out[0]
    assert "stray.png" not in {row.path.name for row in draft.rows}


def test_the_wrong_layout_is_told_the_right_command(folder):
    with pytest.raises(ManifestError, match="class-folders"):
        tile_folders(folder("benign/a.png", "malignant/b.png"))


def test_folders_without_images_are_refused(folder, tmp_path):
    with pytest.raises(ManifestError, match="tile-folders"):
        class_folders(folder("benign/p1/a.png"))
    for read in (tile_folders, class_folders, slide_folder):
        with pytest.raises(ManifestError, match="no such folder"):
            read(tmp_path / "nowhere")
    with pytest.raises(ManifestError, match="no slides"):
        slide_folder(folder("a.png"))


def test_class_folders_give_a_patient_per_image(folder, tmp_path):
    root = folder("benign/a.png", "benign/b.PNG", "malignant/c.jpeg", "malignant/inner/d.png")
    draft = class_folders(root, kind="still")
    cohort = written(draft, tmp_path)
    assert told(cohort) == {
        "a": ("a", "benign", None, ["a.png"]),
        "b": ("b", "benign", None, ["b.PNG"]),
        "c": ("c", "malignant", None, ["c.jpeg"]),
    }
    assert {case.images[0].kind for case in cohort.cases} == {"still"}
    assert "1 folders within it" in draft.left_out[0]


def test_equal_names_in_two_classes_are_told_apart(folder, tmp_path):
    names = ("benign/1.png", "malignant/1.png")
    assert set(told(written(class_folders(folder(*names)), tmp_path))) == {
        "benign/1",
        "malignant/1",
    }
    more = class_folders(folder(*names, "benign/1.jpg"))
    assert len({row.patient_id for row in more.rows}) == 3


def test_the_patient_is_found_in_the_name(folder, tmp_path):
    root = folder("benign/P7_1.png", "benign/P7_2.png", "benign/P8_1.png", "malignant/P8_2.png")
    cohort = written(class_folders(root, patient_from=r"(P\d+)_"), tmp_path)
    assert told(cohort) == {
        "P7": ("P7", "benign", None, ["P7_1.png", "P7_2.png"]),
        "P8/benign": ("P8", "benign", None, ["P8_1.png"]),
        "P8/malignant": ("P8", "malignant", None, ["P8_2.png"]),
    }
    single = class_folders(root, patient_from=r"P\d+", case="image")
    assert [(row.case_id, row.patient_id) for row in single.rows][:2] == [
        ("P7_1", "P7"),
        ("P7_2", "P7"),
    ]
    with pytest.raises(ManifestError, match=r"finds no patient in 'benign/P7_1\.png'"):
        class_folders(root, patient_from="Q(.)")
    with pytest.raises(ManifestError, match="is no expression"):
        class_folders(root, patient_from="(")


TCGA = (
    "TCGA-05-4244-01Z-00-DX1.d4ff32cd.svs",
    "deep/TCGA-05-4244-01Z-00-DX2.aaaa.svs",
    "TCGA-44-2655-01Z-00-DX1.bbbb.svs",
    "other slide.tiff",
    "TCGA-05-4244.xml",
)


def test_barcodes_give_patient_and_site(folder, tmp_path):
    cohort = written(slide_folder(folder(*TCGA)), tmp_path)
    assert {case.id: (case.patient, case.site, len(case.images)) for case in cohort.cases} == {
        "TCGA-05-4244": ("TCGA-05-4244", "05", 2),
        "TCGA-44-2655": ("TCGA-44-2655", "44", 1),
        "other slide": ("other slide", None, 1),
    }
    assert {case.label for case in cohort.cases} == {None}


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("patient,label\nTCGA-05-4244,MUT\nTCGA-44-2655,WT\n", {"MUT": 1, "WT": 1}),
        ("slide,label\nTCGA-05-4244-01Z-00-DX1,MUT\nother slide.tiff,WT\n", {"MUT": 1, "WT": 1}),
        (
            "slide_id,case_id,label\nTCGA-05-4244-01Z-00-DX1.d4ff32cd.svs,A,MUT\n"
            "slides/other slide.tiff,B,WT\nTCGA-44-2655-01Z-00-DX1.bbbb,C,WT\n",
            {"MUT": 1, "WT": 2},
        ),
    ],
)
def test_a_table_labels_slides_by_file_or_patient(folder, tmp_path, table, labels):
    (tmp_path / "labels.csv").write_text(table)
    cohort = written(slide_folder(folder(*TCGA), tmp_path / "labels.csv"), tmp_path)
    assert Counter(case.label for case in cohort.cases) == labels


def test_what_found_no_partner_is_told(folder, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("patient,EGFR\nTCGA-05-4244,MUT\nTCGA-99-9999,WT\n")
    draft = slide_folder(folder(*TCGA), table, column="EGFR")
    assert len(draft.rows) == 2
    unlabelled, unused = draft.left_out
    assert unlabelled.startswith("2 slides without a row")
    assert "other slide.tiff" in unlabelled
    assert unused.startswith("1 rows of")
    assert "TCGA-99-9999" in unused


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("patient,label\nTCGA-05-4244,MUT\nTCGA-05-4244,WT\n", "line 3.*'MUT' on line 2"),
        ("patient,label\nTCGA-05-4244,\n", "line 2, column 'label'"),
        ("who,label\nx,MUT\n", "line 2, column 'slide'.*names no slide"),
        ("patient,label\nsomebody,MUT\n", "no row fits a slide"),
        ("patient,egfr\nTCGA-05-4244,MUT\n", "column 'label': the header lacks it"),
    ],
)
def test_a_table_that_does_not_serve_is_refused(folder, tmp_path, table, said):
    (tmp_path / "labels.csv").write_text(table)
    with pytest.raises(ManifestError, match=said):
        slide_folder(folder(*TCGA), tmp_path / "labels.csv")


def test_the_table_goes_before_the_name(folder, tmp_path):
    (tmp_path / "labels.csv").write_text(
        "slide,case,patient,label\nTCGA-05-4244-01Z-00-DX1,left,me,MUT\nother slide,,you,WT\n"
    )
    rows = slide_folder(folder(*TCGA), tmp_path / "labels.csv").rows
    assert {(row.case_id, row.patient_id) for row in rows} == {("left", "me"), ("you", "you")}


def test_an_expression_finds_the_patient_of_a_slide(folder):
    rows = slide_folder(folder("s1_a.svs", "s1_b.svs", "in/s2_a.svs"), patient_from="s[0-9]").rows
    assert [(row.case_id, row.patient_id) for row in rows] == [
        ("s1", "s1"),
        ("s1", "s1"),
        ("s2", "s2"),
    ]


def test_paths_are_relative_with_slashes_and_survive_a_move(folder, tmp_path):
    root = folder("ein Label/Bild 1 – µ.png", "other/切片,2.png")
    manifest = write_manifest(class_folders(root), tmp_path / "images" / "lists" / "cohort.csv")
    text = manifest.read_text(encoding="utf-8")
    assert "../ein Label/Bild 1 – µ.png" in text
    assert "\\" not in text
    moved = shutil.move(tmp_path / "images", tmp_path / "elsewhere")
    cohort = read_cohort(Path(moved) / "lists" / "cohort.csv", None)
    assert all(image.path.is_file() for case in cohort.cases for image in case.images)


def test_a_manifest_is_not_overwritten(tmp_path):
    draft = Draft((DraftRow("a", "p", tmp_path / "x.png", "tile", label="no"),))
    path = write_manifest(draft, tmp_path / "cohort.csv")
    assert path.read_text() == "case_id,patient_id,path,kind,label\na,p,x.png,tile,no\n"
    with pytest.raises(ManifestError, match="is there already"):
        write_manifest(draft, path)


@pytest.mark.data
def test_a_real_folder_of_classes(shared, tmp_path):
    cohort = written(class_folders(shared / "data" / "lc25000-lung"), tmp_path)
    assert Counter(case.label for case in cohort.cases) == {
        "lung_aca": 1455,
        "lung_n": 1490,
        "lung_scc": 1488,
    }
    assert all(case.images[0].path.is_file() for case in cohort.cases)


@pytest.mark.data
def test_a_real_folder_of_slides(shared, tmp_path):
    cohort = written(slide_folder(shared / "data" / "wsi-small"), tmp_path)
    assert {case.id: case.site for case in cohort.cases} == {
        "CMU-1-Small-Region": None,
        "TCGA-XK-AAJU": "XK",
        "camelyon_multi_frame_jpeg2000": None,
    }
