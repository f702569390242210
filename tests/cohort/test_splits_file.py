import re
from dataclasses import replace
from pathlib import Path

import pytest

from wholecase.cohort import Image, Split, nested, read_splits, split_digest, write_splits
from wholecase.core.errors import SplitError


@pytest.fixture
def cohort(case, cohort_of):
    cases = [case(f"0{i}", f"p{i // 2}", (i // 2) % 2) for i in range(24)]
    cases.append(case("mixed", "q", 0, copies=(False, True)))
    cases.append(case("copies", "q", 0, copies=(True,)))
    return cohort_of(cases)


@pytest.fixture
def split(cohort):
    return nested(cohort, folds=3, validation=0.25, seed=4)


def test_what_was_written_is_read_back(tmp_path, cohort, split):
    path = tmp_path / "splits.csv"
    write_splits(path, split)
    assert path.read_text(encoding="utf-8").startswith("case_id,patient_id,fold,side\n")
    again = read_splits(path, cohort)
    assert again.folds == split.folds
    assert again.protocol == "file"
    assert split_digest(again) == split_digest(split)
    write_splits(tmp_path / "again.csv", again)
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes()


def test_the_digest_knows_members_and_not_their_order(cohort, split):
    turned = tuple(
        replace(fold, train=fold.train[::-1], test=fold.test[::-1]) for fold in split.folds[::-1]
    )
    assert split_digest(Split(turned, "nested")) == split_digest(split)
    fold = split.folds[0]
    moved = replace(fold, train=fold.train[1:])
    assert split_digest(Split((moved, *split.folds[1:]), "nested")) != split_digest(split)
    other = nested(cohort, folds=3, validation=0.25, seed=5)
    assert split_digest(other) != split_digest(split)


LINES = """case_id,patient_id,fold,side
a,pa,0,train
b,pb,0,valid
c,pc,0,test
"""


@pytest.fixture
def small(case, cohort_of):
    cases = [case(name, f"p{name}", i % 2) for i, name in enumerate("abc")]
    cases.append(case("copy", "pc", 0, copies=(True,)))
    return replace(cohort_of(cases), ignored=(case("i", "pi", None),))


def test_a_file_by_hand_is_read(tmp_path, small):
    path = tmp_path / "splits.csv"
    path.write_text(LINES)
    (fold,) = read_splits(path, small).folds
    assert [case.id for cases in fold.sides().values() for case in cases] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("b,pb,0,valid", "d,pb,0,valid", "line 3, column 'case_id': the cohort has no case 'd'"),
        ("b,pb,0,valid", "i,pi,0,valid", "line 3, column 'case_id': the recipe ignores"),
        (
            "b,pb,0,valid",
            "b,pa,0,valid",
            "line 3, column 'patient_id': case 'b' is of patient 'pb'",
        ),
        ("b,pb,0,valid", "b,pb,0,validation", "line 3, column 'side': .*did you mean 'valid'"),
        ("b,pb,0,valid", "b,pb,-1,valid", "line 3, column 'fold': '-1' is no fold"),
        ("b,pb,0,valid", "b,pb,0", "line 3, column 'side': the row has 3 cells"),
        ("b,pb,0,valid\n", "", "no line names b of cohort.csv"),
        ("0,test\n", "0,test\na,pa,0,test\n", "line 5, column 'case_id': .*'a' already on line 2"),
        (
            "0,test\n",
            "0,test\ncopy,pc,0,test\n",
            "line 5, column 'side': .*train_only images alone",
        ),
        ("0,test\n", "0,test\ncopy,pc,0,train\n", "fold 0 has patients on two sides: pc"),
        ("0,test\n", "0,test\na,pa,1,train\n", "fold 1 has an empty test side"),
        ("patient_id", "patient", "line 1, column 'patient_id': .*did you mean 'patient'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_by_line(tmp_path, small, old, new, said):
    path = tmp_path / "splits.csv"
    path.write_text(LINES.replace(old, new))
    with pytest.raises(SplitError, match=said) as caught:
        read_splits(path, small)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        ("PA", "PA", "patients on two sides: PA or pa"),  # pa trains
        ("pa", "pa\u00a0", "patients on two sides: pa"),
        ("\uff50\uff41", "pa", "patients on two sides: pa or \uff50\uff41"),
        ("pc", "PC", "is of patient 'pc' in the cohort, 'PC' here"),
        ("pc", "p\u200bc", None),
        ("pab", "pab", None),
    ],
)
def test_folds_made_elsewhere_know_patients_by_the_same_key(
    tmp_path, case, cohort_of, mine, theirs, said
):
    cohort = cohort_of([case("a", "pa", 0), case("b", "pb", 1), case("c", mine, 0)])
    path = tmp_path / "theirs.csv"
    path.write_text(LINES.replace("c,pc", f"c,{theirs}"), encoding="utf-8")
    if said is None:
        assert len(read_splits(path, cohort).folds[0].test) == 1
        return
    with pytest.raises(SplitError, match=re.escape(said)):
        read_splits(path, cohort)


def clam(folder, number, train, val, test):
    """A file of CLAM: slides below each other, the shorter columns filled up with nothing."""
    rows = [",train,val,test"]
    longest = max(map(len, (train, val, test)))
    columns = [[*names, *[""] * (longest - len(names))] for names in (train, val, test)]
    rows += [f"{i},{','.join(cells)}" for i, cells in enumerate(zip(*columns, strict=True))]
    path = folder / f"splits_{number}.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    (folder / f"splits_{number}_bool.csv").write_text("slide,train,val,test\n")
    return path


@pytest.fixture
def slides(case, cohort_of):
    """Cases whose slides have other names than they."""

    def made(name, patient, target, *files):
        images = tuple(Image(Path(f"wsi/{file}"), "slide", 2) for file in files)
        return replace(case(name, patient, target), images=images)

    return cohort_of(
        [
            made("a", "pa", 0, "s1.svs", "s2.svs"),
            made("b", "pb", 1, "s3.svs"),
            made("c", "pc", 0, "s4.svs"),
            made("d", "PA", 1, "s5.svs"),
        ]
    )


def test_the_folds_of_clam_are_read(tmp_path, slides):
    cohort = replace(slides, cases=slides.cases[:3])
    one = clam(tmp_path, 0, ["s1", "s2"], ["s3"], ["s4"])
    clam(tmp_path, 1, ["s4"], [], ["s1", "s2"])
    clam(tmp_path, 2, ["s1", "s4.svs"], [], ["s3"])
    (fold,) = read_splits(one, cohort).folds
    assert {side: [c.id for c in cases] for side, cases in fold.sides().items()} == {
        "train": ["a"],
        "valid": ["b"],
        "test": ["c"],
    }
    split = read_splits(tmp_path, cohort)
    assert [(fold.number, [c.id for c in fold.test]) for fold in split.folds] == [
        (0, ["c"]),
        (1, ["a"]),
        (2, ["b"]),
    ]


@pytest.mark.parametrize(
    ("sides", "said"),
    [
        ((["s1", "s2"], ["s3"], ["s4", "s5"]), "fold 0 has patients on two sides: PA or pa"),
        ((["s1"], ["s3"], ["s4", "s2"]), "case 'a' is on the side 'train' already"),
        ((["s1", "s9"], ["s3"], ["s4"]), "'s9': the cohort has no case or image of that name"),
        ((["s1", "s5"], [], ["s4"]), "no line names b of"),
    ],
)
def test_folds_of_clam_that_part_a_patient_are_refused(tmp_path, slides, sides, said):
    with pytest.raises(SplitError, match=re.escape(said)):
        read_splits(clam(tmp_path, 0, *sides), slides)
