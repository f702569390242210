"""What a manifest may say, and what every mistake is answered with."""

import os

import pytest

from wholecase.cohort import Labels, anonymity_note, read_cohort, read_leniently, require_classes
from wholecase.core.errors import ManifestError

LABELS = Labels("label", (("benign", ("benign", "B")), ("malignant", ("malignant",))), ("unclear",))
GOOD = """case_id,patient_id,path,label,kind,mpp,magnification,order,train_only,split,site,mask
007,0042, a/one.svs ,benign,slide,0.25,40,1,no,train,north,a/one.png
007,0042,a/two.svs,benign,slide,,,2,YES,train,north,
b,p2,/abs/x.png,malignant,tile,,,,,test,,
c,p3,y.png,unclear,tile,,,,,,,
"""


@pytest.fixture
def manifest(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "cohort.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def test_every_column_arrives(manifest):
    path = manifest(GOOD)
    cohort = read_cohort(path, LABELS)
    assert [case.id for case in cohort.cases] == ["007", "b"]
    assert [case.id for case in cohort.ignored] == ["c"]
    assert cohort.classes == ("benign", "malignant")
    assert cohort.patients == ("0042", "p2")
    first, second = cohort.cases
    assert (first.patient, first.target, first.site, first.split) == ("0042", 0, "north", "train")
    assert (second.target, second.site, second.split) == (1, None, "test")
    one, two = first.images
    assert one.path == path.parent / "a/one.svs"
    assert one.mask == path.parent / "a/one.png"
    assert (one.kind, one.line, one.mpp, one.magnification, one.order) == ("slide", 2, 0.25, 40, 1)
    assert (two.line, two.mpp, two.mask, two.train_only) == (3, None, None, True)
    assert str(second.images[0].path).endswith("/abs/x.png")
    assert second.images[0].path.is_absolute()
    assert first.judged.images == (one,)
    assert second.judged is second


@pytest.mark.parametrize("separator", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_separators_and_excels_mark_read_the_same(manifest, separator, encoding):
    plain = read_cohort(manifest(GOOD), LABELS)
    assert read_cohort(manifest(GOOD.replace(",", separator), encoding), LABELS) == plain
    assert read_cohort(manifest(GOOD.replace("\n", "\r\n"), encoding), LABELS) == plain
    told = f"sep={separator}\r\n" + GOOD.replace(",", separator)
    cohort = read_cohort(manifest(told, encoding), LABELS)
    assert [case.id for case in cohort.cases] == [case.id for case in plain.cases]
    assert cohort.cases[0].images[0].line == plain.cases[0].images[0].line + 1


def test_quoted_cells_blank_lines_and_further_columns(manifest):
    path = manifest(
        "case_id,patient_id,path,kind,remark\n\n"
        'a,p,"x, y.png",tile,"two\nlines"\n,,,,\nb,q,z.png,tile,\n'
    )
    cohort = read_cohort(path, None)
    assert [image.path.name for case in cohort.cases for image in case.images] == [
        "x, y.png",
        "z.png",
    ]
    assert [case.images[0].line for case in cohort.cases] == [3, 6]


def test_without_labels_the_column_is_text_or_absent(manifest):
    labelled = read_cohort(manifest(GOOD), None)
    assert [case.label for case in labelled.cases] == ["benign", "malignant", "unclear"]
    assert {case.target for case in labelled.cases} == {None}
    assert (labelled.classes, labelled.ignored) == ((), ())
    with pytest.raises(ManifestError, match="without labels"):
        require_classes(labelled)


HEAD = "case_id,patient_id,path,label,kind"
ROW = "a,p,x.png,benign,tile"


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("case_id,patientid,path,label,kind\n" + ROW, 1, "patient_id", "did you mean 'patientid'"),
        ("case_id,patient_id,path,kind\na,p,x,tile", 1, "label", "lacks it; known: case_id"),
        (f"{HEAD},kind\n{ROW},tile", 1, "kind", "has it twice"),
        (f"{HEAD}\n,p,x.png,benign,tile", 2, "case_id", "empty"),
        (f"{HEAD}\na, ,x.png,benign,tile", 2, "patient_id", "empty"),
        (f"{HEAD}\n{ROW}\nb,p,,benign,tile", 3, "path", "empty"),
        (f"{HEAD}\na,p,x.png,benign,tyle", 2, "kind", r"did you mean 'tile'\?; write one of slide"),
        (
            f"{HEAD}\na,p,x.png,benign,",
            2,
            "kind",
            "empty; write one of slide, tile, still, ct, features",
        ),
        (f"{HEAD},order\n{ROW},first", 2, "order", "'first' is no number"),
        (f"{HEAD},order\n{ROW},nan", 2, "order", "'nan' is no number"),
        (f"{HEAD},magnification\n{ROW},-40", 2, "magnification", "-40 is no objective power"),
        (f"{HEAD},mpp\n{ROW},250", 2, "mpp", "250 µm/px cannot be, a tile has 0.05 to 50"),
        (f"{HEAD},mpp\n{ROW},0".replace(",", ";"), 2, "mpp", "0 µm/px cannot be"),
        (f"{HEAD},mpp\n{ROW},0!25".replace(",", ";").replace("!", ","), 2, "mpp", "decimal point"),
        (f"{HEAD},mpp\na,p,x.png,benign,still,-700", 2, "mpp", "a still has more than 0"),
        (f"{HEAD},series\n{ROW},4", 2, "series", "'4' is no series of a CT"),
        (f"{HEAD},series\na,p,x,benign,ct,head", 2, "series", "write its number or its instance"),
        (f"{HEAD},window\n{ROW},4095", 2, "window", "'4095' is no window; write"),
        (f"{HEAD},window\n{ROW},100-100", 2, "window", "is no window"),
        (f"{HEAD},window\n{ROW},0-65536", 2, "window", "is no window"),
        (f"{HEAD},train_only\n{ROW},perhaps", 2, "train_only", "'perhaps' is neither yes nor no"),
        (f"{HEAD},split\n{ROW},val", 2, "split", "'val' is unknown; did you mean 'valid'"),
        (f"{HEAD}\na,p,x.png,bening,tile", 2, "label", "did you mean 'benign'.*under ignore"),
        (f"{HEAD}\na,p,x.png,,tile", 2, "label", "the label is empty"),
        (f"{HEAD}\n{ROW}\na,p,y.png,malignant,tile", 3, "label", "two labels.*on line 2"),
        (f"{HEAD}\n{ROW}\na,p,y.png,unclear,tile", 3, "label", "case 'a' has two labels"),
        (f"{HEAD}\n{ROW}\na,q,y.png,benign,tile", 3, "patient_id", "case 'a' has two patients"),
        (f"{HEAD},site\n{ROW},n\na,p,y.png,benign,tile,s", 3, "site", "case 'a' has two sites"),
        (f"{HEAD},split\n{ROW},train\na,p,y.png,B,tile,train", 3, "label", "two labels"),
        (f"{HEAD},split\n{ROW},train\na,p,y.png,benign,tile,test", 3, "split", "two splits"),
        (f"{HEAD},split\n{ROW},train\na,p,y.png,benign,tile,", 3, "split", "'nothing' here"),
        (f"{HEAD},split\n{ROW},train\nb,p,y.png,benign,tile,test", 3, "split", "two sides"),
        (f"{HEAD}\n{ROW}\na,p,d/../x.png,benign,tile", 3, "path", "already on line 2"),
        (f"{HEAD}\n{ROW}\nb,p,y.png,benign", 3, "kind", "4 cells, the header 5"),
        (f"{HEAD}\n{ROW}\nb,p,y.png,benign,tile,more", 3, "kind", "6 cells, the header 5"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_column(manifest, text, line, column, said):
    path = manifest(text + "\n")
    with pytest.raises(ManifestError, match=said) as caught:
        read_cohort(path, LABELS)
    assert str(caught.value).startswith(f"{path}, line {line}, column '{column}': ")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: the file is empty"),
        (b"\n\n", "line 1: the file is empty"),
        (HEAD.encode() + b"\n", "line 2: there are no rows"),
        (
            HEAD.encode() + b"\nM\xfcller,p,x,benign,tile\n",
            "line 2: not UTF-8 .*Windows-1252.*'Müller'",
        ),
        (HEAD.encode() + b"\na,p,\x81\x8d,benign,tile\n", "line 2: not UTF-8 .*an older encoding"),
        (GOOD.encode("utf-16-le"), "line 1: not UTF-8 text but of two"),
        (GOOD.encode("utf-32"), "line 1: not UTF-8 text but of two or four"),
        (GOOD.encode("utf-16")[:-1], "begins as UTF-16 text and does not go on so"),
        (b"sep=;\r\n", "line 1: the file is empty"),
        (HEAD.encode() + b'\na,p,"x.png,benign,tile\n', "line 2: no CSV row"),
    ],
)
def test_a_file_that_is_no_table_is_refused(tmp_path, content, said):
    path = tmp_path / "cohort.csv"
    path.write_bytes(content)
    with pytest.raises(ManifestError, match=said) as caught:
        read_cohort(path, LABELS)
    assert str(path) in str(caught.value)


def test_a_path_without_a_file_is_refused(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ManifestError, match=r"cannot be read.*check the path"):
            read_cohort(path, None)


def test_one_class_alone_is_refused(manifest):
    cohort = read_cohort(manifest(f"{HEAD}\n{ROW}\nb,q,y.png,B,tile\n"), LABELS)
    with pytest.raises(ManifestError, match="'benign' is the only one found in 2 cases"):
        require_classes(cohort)


def test_a_patient_may_have_cases_of_both_classes(manifest):
    cohort = read_cohort(manifest(f"{HEAD}\n{ROW}\nb,p,y.png,malignant,tile\n"), LABELS)
    require_classes(cohort)
    assert cohort.patients == ("p",)


def test_the_pixels_of_a_scanner_may_be_large(manifest):
    cohort = read_cohort(manifest(f"{HEAD},mpp\na,p,x.png,benign,still,700\n"), LABELS)
    assert cohort.cases[0].images[0].mpp == 700


def test_a_window_is_read_as_two_samples(manifest):
    text = f"{HEAD},window\n{ROW},50 - 4095\nb,q,y.png,malignant,still,\n"
    cohort = read_cohort(manifest(text), LABELS)
    assert [case.images[0].window for case in cohort.cases] == [(50, 4095), None]


@pytest.mark.data
def test_real_manifests_are_read(shared):
    sizes = {
        path.parent.name: len(read_cohort(path, None).cases)
        for path in sorted((shared / "data").glob("*/cohort.csv"))
    }
    assert sizes["wsi-small"] == 3
    assert sizes["lc25000-lung"] == 555
    assert sizes["nih-cxr-pneumonia"] == 716
    assert len(sizes) >= 6
    assert sizes["ct-ich-slices"] == 52


@pytest.mark.data
def test_a_real_cohort_is_read_with_labels(shared):
    labels = Labels(
        classes=(("benign", ("benign",)), ("cancer", ("adenocarcinoma",))), ignore=("squamous",)
    )
    cohort = read_cohort(shared / "data" / "lc25000-lung" / "cohort.csv", labels)
    require_classes(cohort)
    assert len(cohort.cases) + len(cohort.ignored) == 555
    assert {case.label for case in cohort.ignored} == {"squamous"}
    assert sum(len(case.images) for case in cohort.cases if case.target == 1) == 1455
    assert sum(len(case.images) for case in cohort.cases if case.target == 0) == 1490


def test_an_outline_of_the_tissue_lies_beside_the_manifest(manifest):
    path = manifest(f"{HEAD},tissue\na,p,x.svs,benign,slide,outlines/x.geojson\nb,q,y.svs,B,slide,")
    one, other = (case.images[0] for case in read_cohort(path, LABELS).cases)
    assert one.tissue == path.parent / "outlines" / "x.geojson"
    assert other.tissue is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a/b/c.png", "a/b/c.png"),
        ("a\\b\\c.png", "a/b/c.png"),
        ("..\\other folder\\ein Bild.png", "../other folder/ein Bild.png"),
        ("Gewebe/Präparat 7 – µ/切片.png", "Gewebe/Präparat 7 – µ/切片.png"),
    ],
)
def test_both_slashes_part_folders_and_any_name_is_read(manifest, written, meant):
    path = manifest(f"{HEAD},mask\na,p,{written},benign,tile,{written}\n")
    (case,) = read_cohort(path, LABELS).cases
    assert case.images[0].path == path.parent / meant
    assert case.images[0].mask == path.parent / meant


@pytest.mark.skipif(os.name == "nt", reason="there a drive is a place")
@pytest.mark.parametrize("written", ["C:\\data\\x.png", "d:/data/x.png"])
def test_a_windows_drive_is_refused_elsewhere(manifest, written):
    with pytest.raises(ManifestError, match=r"column 'path'.*Windows drive.*relative"):
        read_cohort(manifest(f"{HEAD}\na,p,{written},benign,tile\n"), LABELS)


def test_a_lenient_reading_of_a_sound_manifest_is_the_same(manifest):
    path = manifest(GOOD)
    reading = read_leniently(path, LABELS)
    assert reading.cohort == read_cohort(path, LABELS)
    assert reading.mistakes == ()


def test_a_lenient_reading_tells_every_mistake_and_keeps_the_sound_rows(manifest):
    path = manifest(
        f"{HEAD},mpp,split\n"
        "a,p,x.png,benign,tile,0.5,train\n"
        "a,p,y.png,malignant,tile,0.5,train\n"
        "b,,z.png,bening,tyle,99,\n"
        "c,q,z.png,benign\n"
        "d,r,v.png,B,tile,,train\n"
        "e,r,w.png,B,tile,,test\n"
        "d,r,v.png,B,tile,,train\n"
    )
    reading = read_leniently(path, LABELS)
    told = [str(mistake).removeprefix(f"{path}, ").split(": ")[0] for mistake in reading.mistakes]
    assert told == [
        "line 4, column 'patient_id'",
        "line 4, column 'label'",
        "line 4, column 'kind'",
        "line 5, column 'kind'",
        "line 3, column 'label'",
        "line 8, column 'path'",
        "line 7, column 'split'",
    ]
    assert [(case.id, case.label) for case in reading.cohort.cases] == [
        ("a", "benign"),
        ("d", "B"),
        ("e", "B"),
    ]
    with pytest.raises(ManifestError, match="lacks it"):
        read_leniently(manifest("a,b\n1,2\n"), LABELS)


def test_the_first_mistake_of_a_lenient_reading_is_what_a_strict_one_raises(manifest):
    path = manifest(f"{HEAD}\na,p,x.png,bening,tyle\n,q,y.png,benign,tile\n")
    with pytest.raises(ManifestError) as caught:
        read_cohort(path, LABELS)
    assert str(caught.value) == str(read_leniently(path, LABELS).mistakes[0])


def test_an_unknown_patient_makes_each_case_a_patient_of_its_own(manifest):
    path = manifest(
        f"{HEAD},split\na,unknown,x.png,benign,tile,train\na,unknown,y.png,benign,tile,train\n"
        "b,Unknown,z.png,B,tile,test\nc,p,v.png,unclear,tile,\nd,UNKNOWN,w.png,unclear,tile,\n"
    )
    cohort = read_cohort(path, LABELS)
    assert [(case.id, case.patient) for case in (*cohort.cases, *cohort.ignored)] == [
        ("a", "a"),
        ("b", "b"),
        ("c", "p"),
        ("d", "d"),
    ]
    assert cohort.anonymous == 2  # the ignored one is not counted
    assert "all 2 cases are unknown" in anonymity_note(cohort)
    everyone = read_cohort(path, None)
    assert everyone.anonymous == 3
    assert "3 of 4 cases are unknown" in anonymity_note(everyone)
    known = read_cohort(manifest(GOOD), LABELS)
    assert (known.anonymous, anonymity_note(known)) == (0, "")


def test_a_case_has_an_unknown_patient_or_a_known_one(manifest):
    path = manifest(f"{HEAD}\na,unknown,x.png,benign,tile\na,p,y.png,benign,tile\n")
    with pytest.raises(ManifestError, match="two patients, 'p' here and 'unknown' on line 2"):
        read_cohort(path, LABELS)


def test_pictures_of_one_hdf5_file_are_named_by_their_number(manifest):
    path = manifest(f"{HEAD}\na,p,d/x.h5#17,benign,tile\nb,q,d\\x.h5#18,benign,tile\n")
    one, other = (case.images[0].path for case in read_cohort(path, LABELS).cases)
    assert (one, other) == (path.parent / "d" / "x.h5#17", path.parent / "d" / "x.h5#18")


def test_a_long_manifest_keeps_recurring_words_once_and_no_rows(manifest):
    rows = "\n".join(f"c{i},patient {i % 2},x.h5#{i},benign,tile" for i in range(50))
    cases = read_cohort(manifest(f"{HEAD}\n{rows}\n"), LABELS).cases
    for i in (0, 1):
        assert len({id(case.patient) for case in cases[i::2]}) == 1
    assert len({id(case.label) for case in cases}) == 1
    assert not hasattr(cases[0], "__dict__")
