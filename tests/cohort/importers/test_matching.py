"""A table means a file by as much of the path as it gives; nobody gets another's slide."""

import pytest

from wholecase.cohort import read_cohort
from wholecase.cohort.importers import class_folders, slide_folder, tile_folders, write_manifest
from wholecase.core.errors import ManifestError


@pytest.fixture
def folder(tmp_path):
    def build(*names):
        for name in names:
            path = tmp_path / "slides" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
        return tmp_path / "slides"

    return build


@pytest.fixture
def table(tmp_path):
    def build(text):
        path = tmp_path / "labels.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return build


def owners(draft, root):
    return {row.path.relative_to(root).as_posix(): row.patient_id for row in draft.rows}


TWO = ("A/1.tif", "A/2.tif", "B/1.tif", "B/2.tif")


@pytest.mark.parametrize("begin", ["", "slides/", "./", "/elsewhere/slides/", "C:\\old\\"])
def test_equal_names_in_two_folders_are_told_apart_by_the_path(folder, table, begin):
    root = folder(*TWO)
    rows = [f"{begin}{name},P{name[0]}{name[2]},x" for name in TWO]
    draft = slide_folder(root, table("\n".join(["path,patient,label", *rows])))
    assert owners(draft, root) == {name: f"P{name[0]}{name[2]}" for name in TWO}
    assert draft.left_out == ()
    short = [f"{name.removesuffix('.tif')},P{name[0]}{name[2]},x" for name in TWO]
    again = slide_folder(root, table("\n".join(["Slide ID,patient,label", *short])))
    assert owners(again, root) == owners(draft, root)


@pytest.mark.parametrize("name", ["1.tif", "1"])
def test_a_name_of_two_slides_is_refused(folder, table, name):
    with pytest.raises(ManifestError, match=r"line 2.*means several slides, A/1.tif, B/1.tif"):
        slide_folder(folder(*TWO), table(f"slide,patient,label\n{name},p,x\n"))


def test_a_folder_that_is_not_there_gives_nobody_a_slide(folder, table):
    root = folder(*TWO)
    draft = slide_folder(root, table("path,patient,label\nC/1.tif,c,x\nA/2.tif,a,x\n"))
    assert owners(draft, root) == {"A/2.tif": "a"}
    assert draft.left_out[-1].endswith("labels.csv without a slide: C/1.tif")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a.tif,p,x\na.tif,q,x", "column 'patient': the same slide has 'q' here and 'p' on line 2"),
        ("a.tif,p,x\na,p,y", "column 'label': the same slide has 'y' here"),
        ("C/a.tif,p,x\nD/a.tif,q,x", "column 'patient'"),
    ],
)
def test_a_slide_of_two_patients_or_labels_is_refused(folder, table, rows, said):
    with pytest.raises(ManifestError, match=said):
        slide_folder(folder("a.tif", "b.tif"), table(f"slide,patient,label\n{rows}\n"))


def test_what_stands_before_the_first_dot_is_no_name(folder, table):
    root = folder("case.1.svs", "case.2.svs", "x.ome.tif")
    rows = "case.1,a,x\ncase.2.svs,b,y\nx,c,x"
    draft = slide_folder(root, table(f"slide,patient,label\n{rows}\n"))
    assert owners(draft, root) == {"case.1.svs": "a", "case.2.svs": "b", "x.ome.tif": "c"}
    with pytest.raises(ManifestError, match="no row fits a slide"):
        slide_folder(root, table("slide,patient,label\ncase,a,x\n"))


def test_names_match_in_any_unicode_form(folder, table):
    root = folder("Pra\u0308parat\u20111.svs")
    draft = slide_folder(root, table("slide,patient,label\nPr\u00e4parat-1.svs,p,x\n"))
    assert list(owners(draft, root).values()) == ["p"]


def test_the_row_of_a_slide_goes_before_that_of_its_patient(folder, table):
    root = folder("TCGA-05-4244-01Z-00-DX1.a.svs", "TCGA-05-4244-01Z-00-DX2.b.svs")
    rows = "TCGA-05-4244,,all\n,TCGA-05-4244-01Z-00-DX2,own"
    draft = slide_folder(root, table(f"patient,slide,label\n{rows}\n"))
    assert [row.label for row in draft.rows] == ["all", "own"]


def test_without_a_table_equal_names_are_two_patients(folder):
    root = folder("A/1.tif", "B/1.tif", "B/2.tif")
    assert set(owners(slide_folder(root), root).values()) == {"A/1", "B/1", "B/2"}


def test_a_row_that_says_the_same_twice_is_one(folder, table):
    root = folder("a.tif")
    draft = slide_folder(root, table("slide,patient,label\na.tif,p,x\na,p,x\n"))
    assert owners(draft, root) == {"a.tif": "p"}
    assert draft.left_out == ()


def test_patients_alike_in_two_label_folders_are_refused(folder):
    with pytest.raises(ManifestError, match="patient 'P07' has two labels"):
        tile_folders(folder("no/P07/a.png", "yes/p7/b.png"))


def test_names_alike_in_two_class_folders_are_told_apart(folder, tmp_path):
    root = folder("no/e\u0301.png", "yes/\u00e9.png")
    cohort = read_cohort(write_manifest(class_folders(root), tmp_path / "c.csv"), None)
    assert len(cohort.patients) == 2


@pytest.mark.data
def test_the_collected_slides_of_two_hospitals(shared, tmp_path):
    root = shared / "cases" / "same-slide-names"
    draft = slide_folder(root / "slides", root / "labels.csv")
    cohort = read_cohort(write_manifest(draft, tmp_path / "cohort.csv"), None)
    assert {case.patient: case.images[0].path.parent.name for case in cohort.cases} == {
        f"{letter}{i}": f"hosp_{letter}" for letter in "AB" for i in range(1, 5)
    }
    assert draft.left_out == ()


@pytest.mark.data
@pytest.mark.parametrize("case", ["accents", "float"])
def test_the_collected_spellings_are_never_parted_in_silence(shared, case):
    cohort = read_cohort(shared / "cases" / "two-spellings" / case / "cohort.csv", None)
    told = {remark.problem for remark in cohort.remarks}
    assert len(cohort.patients) == 12 or told == {"similar patient ids"}


@pytest.mark.data
def test_the_collected_columns_are_read(shared):
    cohort = read_cohort(shared / "cases" / "columns-written-otherwise" / "cohort.csv", None)
    assert {case.split for case in cohort.cases} == {"train", "test"}
    assert any(image.train_only for case in cohort.cases for image in case.images)
    assert cohort.remarks == ()
