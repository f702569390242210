"""What a manifest says that is hardly meant so: never a wrong answer in silence."""

import pickle

import pytest

from wholecase.cohort import (
    Labels,
    given,
    holdout,
    nested,
    read_cohort,
    read_leniently,
    read_splits,
    read_to_ask,
)
from wholecase.core.errors import ManifestError, SplitError

LABELS = Labels("label", (("no", ("no", "0")), ("yes", ("yes", "1"))), ("unclear",))
HEAD = "case_id,patient_id,path,label,kind"


@pytest.fixture
def manifest(tmp_path):
    def write(*rows, head=HEAD):
        path = tmp_path / "cohort.csv"
        path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def twelve(*spellings):
    """Twelve patients with a case under each spelling of their id."""
    return [
        f"c{i}-{j},{spelling.format(i)},{i}-{j}.png,{('no', 'yes')[i % 2]},tile"
        for i in range(12)
        for j, spelling in enumerate(spellings)
    ]


def problems(cohort):
    return [remark.problem for remark in cohort.remarks]


def test_two_spellings_of_one_id_are_one_patient(manifest):
    cohort = read_cohort(manifest(*twelve("P\u00e4t {}", "Pa\u0308t\u00a0{}")), LABELS)
    assert len(cohort.cases) == 24
    assert cohort.patients == tuple(f"P\u00e4t {i}" for i in range(12))
    assert cohort.remarks == ()


def test_two_spellings_of_one_case_are_one_case(manifest):
    path = manifest("f-1,p,x.png,no,tile", "f\u20111,p,y.png,no,tile")
    (case,) = read_cohort(path, LABELS).cases
    assert (case.id, len(case.images)) == ("f-1", 2)
    with pytest.raises(ManifestError, match="case 'f-1' has two patients"):
        read_cohort(manifest("f-1,p,x.png,no,tile", "f\u20111,q,y.png,no,tile"), LABELS)


@pytest.mark.parametrize("other", ["{}.0", "0{}", "00{}"])
def test_ids_that_look_like_one_are_told_and_never_parted(manifest, other):
    cohort = read_cohort(manifest(*twelve("1{}", other.replace("{}", "1{}"))), LABELS)
    assert len(cohort.patients) == 24
    assert set(problems(cohort)) == {"similar patient ids"}
    assert cohort.remarks[0].where.startswith("patients '10', '")
    assert cohort.remarks[0].where.endswith(" and 9 more groups")
    for split in (
        nested(cohort, folds=3, validation=0.3, seed=1),
        holdout(cohort, test=0.3, validation=0.3, seed=1),
    ):
        for fold in split.folds:
            for cases in fold.sides().values():
                numbers = [case.id.split("-")[0] for case in cases]
                assert all(numbers.count(number) == 2 for number in numbers)


def test_a_given_split_that_parts_them_is_refused(manifest, tmp_path):
    head = f"{HEAD},split"
    path = manifest("a,p7,x.png,no,tile,train", "b,P07,y.png,yes,tile,test", head=head)
    with pytest.raises(ManifestError, match="patient 'p7' or 'P07' is on two sides, 'test' here"):
        read_cohort(path, LABELS)
    cohort = read_cohort(manifest("a,p7,x.png,no,tile", "b,P07,y.png,yes,tile"), LABELS)
    splits = tmp_path / "splits.csv"
    splits.write_text("case_id,patient_id,fold,side\na,p7,0,train\nb,P07,0,test\n")
    with pytest.raises(SplitError, match="patients on two sides: P07 or p7"):
        read_splits(splits, cohort)


def test_given_sides_hold_all_spellings(manifest):
    rows = [
        f"c{i}{j},{name}{i},{i}{j}.png,{('no', 'yes')[i % 2]},tile,{('train', 'test')[i // 6]}"
        for i in range(12)
        for j, name in enumerate("pP")
    ]
    cohort = read_cohort(manifest(*rows, head=f"{HEAD},split"), LABELS)
    fold = given(cohort, validation=0.3, seed=1).folds[0]
    assert len(fold.test) == 12


def test_splits_that_a_spreadsheet_saved_are_told(manifest, tmp_path):
    cohort = read_cohort(manifest("007,p,x.png,no,tile", "8,q,y.png,yes,tile"), LABELS)
    splits = tmp_path / "splits.csv"
    splits.write_text("case_id,patient_id,fold,side\n7,p,0,train\n")
    with pytest.raises(SplitError, match="has no case '7'; it has '007', so write that"):
        read_splits(splits, cohort)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("1.2E+14", "rounded it"),
        ("1,2e+14", "rounded it"),
        ("123456789012345000", "rounded it"),
        ("1-Mar", "made it a date"),
        ("1-f\u00e9vr.", "made it a date"),
        ("Mar-01", "made it a date"),
        ("2024-03-01 00:00:00", "made it a date"),
        ("nan", "lost"),
        ("#N/A", "lost"),
    ],
)
def test_ids_that_a_spreadsheet_changed_are_named_and_refused_where_they_fall_together(
    manifest, name, said
):
    cell = f'"{name}"'
    cohort = read_cohort(manifest(f"a,{cell},x.png,no,tile", "b,q,y.png,yes,tile"), LABELS)
    assert problems(cohort) == ["ids changed by a spreadsheet"]
    assert said in cohort.remarks[0].what
    for twice in (
        (f"a,{cell},x.png,no,tile", f"b,{cell},y.png,yes,tile"),
        (f"{cell},q,x.png,no,tile", f"{cell},q,y.png,no,tile"),
    ):
        with pytest.raises(ManifestError, match=said):
            read_cohort(manifest(*twice), LABELS)


@pytest.mark.parametrize("name", ["12E5", "MAR-12", "P-12", "2024-03-01", "nano", "5-1", "A.1-2"])
def test_ids_that_merely_look_odd_are_left_alone(manifest, name):
    rows = [f"a,{name},x.png,no,tile", f"b,{name},y.png,yes,tile"]
    assert read_cohort(manifest(*rows), LABELS).remarks == ()


def test_cells_that_a_spreadsheet_would_run_are_told(manifest):
    rows = ["=1+1,@p,x.png,no,tile,-5", "b,-q,+y.png,yes,tile,+7"]
    cohort = read_cohort(manifest(*rows, head=f"{HEAD},order"), LABELS)
    assert problems(cohort) == ["cells that a spreadsheet would run"]
    assert cohort.remarks[0].what.startswith("4 begin with = + - or @ (line 2, column 'case_id'")
    assert cohort.cases[0].images[0].order == -5


def test_columns_in_other_capitals_are_read(manifest):
    head = "Case ID,PATIENT_ID,Path,Label,kind,Split,Train-only"
    cohort = read_cohort(manifest("a,p,x.png,no,tile,test,", head=head), LABELS)
    assert (cohort.cases[0].split, cohort.remarks) == ("test", ())
    with pytest.raises(ManifestError, match="column 'split': the header has it twice"):
        read_cohort(manifest("a,p,x.png,no,tile,test,", head=f"{HEAD},split,Split"), LABELS)


def test_columns_that_nothing_reads_are_named(manifest):
    path = manifest("a,p,x.png,no,tile,1,2,3", head=f"{HEAD},splt,age,tumor_type")
    near, others = read_cohort(path, LABELS).remarks
    assert near.where == "column 'splt'"
    assert "did you mean 'split'?" in near.what
    assert others.where == "columns 'age', 'tumor_type'"
    elsewhere = Labels("EGFR", LABELS.classes)
    path = manifest("a,p,x.png,no,tile,1", head=f"{HEAD},egfr")
    cohort = read_cohort(path, elsewhere)
    assert cohort.cases[0].target == 1
    assert [remark.where for remark in cohort.remarks] == ["column 'label'"]


@pytest.mark.parametrize("written", ["YES", "Yes", "1.0", "01", "\uff11"])
def test_labels_in_another_spelling_are_read_and_told(manifest, written):
    cohort = read_cohort(manifest(f"a,p,x.png,{written},tile"), LABELS)
    assert (cohort.cases[0].target, cohort.cases[0].label) == (1, written)
    literal = written == "\uff11"
    assert problems(cohort) == ([] if literal else ["labels in another spelling"])


def test_labels_that_differ_in_capitals_in_the_recipe_are_two(manifest):
    labels = Labels(classes=(("low", ("a",)), ("high", ("A",))))
    cohort = read_cohort(manifest("a,p,x.png,a,tile", "b,q,y.png,A,tile"), labels)
    assert [case.target for case in cohort.cases] == [0, 1]
    with pytest.raises(ManifestError, match=r"'a.0' belongs to no class"):
        read_cohort(manifest("a,p,x.png,a.0,tile"), labels)


def test_mistakes_of_one_kind_are_one_sentence_with_the_cure(manifest):
    rows = [f"c{i},p{i},{i}.png,EGFR_{('positive', 'negative')[i % 2]},tile" for i in range(80)]
    with pytest.raises(ManifestError) as caught:
        read_cohort(manifest(*rows), LABELS)
    said = str(caught.value)
    assert "line 2, column 'label': the label 'EGFR_positive' belongs to no class" in said
    assert "79 more rows are wrong in this way, such as line 3 ('EGFR_negative')" in said
    assert said.endswith('add "cohort.positive=[EGFR_positive]" "cohort.negative=[EGFR_negative]"')
    assert "\n" not in said
    assert str(pickle.loads(pickle.dumps(caught.value))) == said


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (("mut", "wt"), 'add "cohort.positive=[mut]" "cohort.negative=[wt]"'),
        (("A", "B"), '"cohort.positive=[B]" "cohort.negative=[A]", or the other way round'),
        (
            ("x", "y", "z"),
            '"cohort.positive=[]" "cohort.negative=[]" "cohort.classes={x: [x], y: [y], z: [z]}"',
        ),
        (("yes", "no", "it's: odd"), "to leave them out, add \"cohort.ignore=['it''s: odd']\""),
    ],
)
def test_the_override_that_would_read_the_labels_is_told(manifest, values, advice):
    rows = [f"c{i},p{i},{i}.png,{value},tile" for i, value in enumerate(values * 2)]
    with pytest.raises(ManifestError) as caught:
        read_cohort(manifest(*rows), LABELS)
    assert advice in str(caught.value)


def test_kinds_of_mistakes_are_told_apart(manifest):
    rows = [f"c{i},p{i},{i}.png,no,{'tyle' if i % 2 else ''}" for i in range(40)]
    rows += [f"d{i},p,d.png,no" for i in range(40)]
    reading = read_leniently(manifest(*rows), LABELS)
    assert [str(m).partition("column ")[2][:30] for m in reading.mistakes] == [
        "'kind': the cell is empty; wri",
        "'kind': 'tyle' is unknown; did",
        "'kind': the row has 4 cells, t",
    ]
    assert all("more rows are wrong in this way" in str(m) for m in reading.mistakes)


def test_a_blank_or_unknown_label_costs_its_case_the_metrics_alone(manifest):
    rows = [
        "a,p,x.png,no,tile",
        "b,q,y.png,,tile",
        "c,r,z.png,maybe,tile",
        "d,s,w.png,unclear,tile",
    ]
    cohort = read_to_ask(manifest(*rows), LABELS)
    assert [(case.id, case.target) for case in cohort.cases] == [("a", 0), ("b", None), ("c", None)]
    assert [case.id for case in cohort.ignored] == ["d"]
    blank, strange = cohort.remarks
    assert (blank.where, strange.where) == ("cases b", "cases c")
    assert "count in no metric (1 of 3 cases)" in blank.what
    assert "knows nothing of the labels 'maybe'" in strange.what


def test_an_unlabelled_cohort_may_be_asked_about(manifest):
    for rows, head in (
        (["a,p,x.png,,tile"], HEAD),
        (["a,p,x.png,tile"], HEAD.replace("label,", "")),
    ):
        cohort = read_to_ask(manifest(*rows, head=head), LABELS)
        assert (cohort.cases[0].target, cohort.remarks) == (None, ())
    with pytest.raises(ManifestError, match="column 'kind'"):
        read_to_ask(manifest("a,p,x.png,,tyle"), LABELS)


@pytest.mark.parametrize("cells", ["a\x1b[2J,p,x.png", "a,p\x00,x.png", 'a,p,"x\ny.png"'])
def test_control_characters_in_names_are_refused(manifest, cells):
    with pytest.raises(ManifestError, match="holds a control character") as caught:
        read_cohort(manifest(f"{cells},no,tile"), LABELS)
    assert "\x1b" not in str(caught.value)
