"""What every division of a cohort keeps, tried on cohorts nobody thought of."""

import random
from dataclasses import replace

import pytest
from hypothesis import given as given_examples
from hypothesis import settings
from hypothesis import strategies as st

from wholecase.cohort import Labels, given, holdout, inner_folds, nested, read_cohort
from wholecase.core.errors import ManifestError, SplitError

CLASSES = ("no", "yes")
SOME = settings(max_examples=60, deadline=None)


@st.composite
def case_lists(draw):
    """(patient, target, copies) per case; at least six pure patients of each class."""
    rows = [(f"s{target}{i}", target, (False,)) for target in (0, 1) for i in range(6)]
    further = st.tuples(
        st.integers(0, 20).map("p{}".format),
        st.integers(0, 1),
        st.sampled_from([(False,), (False, True), (True,)]),
    )
    return draw(st.permutations(rows + draw(st.lists(further, max_size=40))))


@pytest.fixture(scope="module")
def build(case, cohort_of):
    def make(rows, **more):
        # ids from the content, so that the order of the rows is the only thing that moves
        made, seen = [], {}
        for patient, target, copies in rows:
            seen[patient] = number = seen.get(patient, 0) + 1
            made.append(case(f"{patient}.{number}", patient, target, copies=copies, **more))
        return cohort_of(made, CLASSES)

    return make


def members(split):
    return [
        {side: {case.id for case in cases} for side, cases in fold.sides().items()}
        for fold in split.folds
    ]


@SOME
@given_examples(rows=case_lists(), folds=st.integers(2, 5), seed=st.integers(0, 99))
def test_nested_tests_every_case_once_and_keeps_patients_apart(build, rows, folds, seed):
    cohort = build(rows)
    split = nested(cohort, folds=folds, validation=0.2, seed=seed)
    tested = [case.id for fold in split.folds for case in fold.test]
    assert sorted(tested) == sorted(case.id for case in cohort.cases if case.testable)
    for fold in split.folds:
        sides = [{case.patient for case in cases} for cases in fold.sides().values()]
        assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides))
        for cases in fold.sides().values():
            assert {case.target for case in cases} == {0, 1}
        assert not any(i.train_only for c in (*fold.valid, *fold.test) for i in c.images)
        training = {case.id for case in fold.train}
        apart = sides[1] | sides[2]
        assert training == {case.id for case in cohort.cases if case.patient not in apart}


@SOME
@given_examples(rows=case_lists(), folds=st.integers(2, 5))
def test_nested_gives_each_fold_its_share_of_each_class(build, rows, folds):
    cohort = build(rows)
    split = nested(cohort, folds=folds, validation=0.2, seed=3)
    for target in (0, 1):
        of_class = {c.patient for c in cohort.cases if c.target == target and c.testable}
        ideal = len(of_class) / folds
        for fold in split.folds:
            found = {case.patient for case in fold.test} & of_class
            assert abs(len(found) - ideal) <= 1


@SOME
@given_examples(rows=case_lists(), seed=st.integers(0, 9), order=st.integers(0, 99))
def test_the_order_of_rows_decides_nothing(build, case, cohort_of, rows, seed, order):
    cohort = build(rows)
    cases = list(cohort.cases)
    random.Random(order).shuffle(cases)
    moved = replace(cohort, cases=tuple(cases))
    for protocol in (
        lambda c: nested(c, folds=3, validation=0.25, seed=seed),
        lambda c: holdout(c, test=0.3, validation=0.25, seed=seed),
    ):
        assert members(protocol(moved)) == members(protocol(cohort))
        assert protocol(cohort) == protocol(cohort)


@SOME
@given_examples(rows=case_lists(), test=st.floats(0.1, 0.5))
def test_holdout_meets_its_share(build, rows, test):
    cohort = build(rows)
    (fold,) = holdout(cohort, test=test, validation=0.2, seed=1).folds
    for target in (0, 1):
        of_class = {c.patient for c in cohort.cases if c.target == target and c.testable}
        tested = {case.patient for case in fold.test} & of_class
        assert abs(len(tested) - test * len(of_class)) <= 1
        assert tested


def test_another_seed_is_another_split(build):
    cohort = build([(f"p{i}", i % 2, (False,)) for i in range(40)])
    splits = [members(nested(cohort, folds=4, validation=0.2, seed=seed)) for seed in range(4)]
    assert all(splits[i] != splits[j] for i in range(4) for j in range(i))


def test_validation_differs_between_folds_and_has_its_share(build):
    cohort = build([(f"p{i:02}", i % 2, (False,)) for i in range(50)])
    split = nested(cohort, folds=5, validation=0.2, seed=0)
    assert [len(fold.test) for fold in split.folds] == [10] * 5
    assert [len(fold.valid) for fold in split.folds] == [8] * 5
    assert len({frozenset(case.id for case in fold.valid) for fold in split.folds}) > 1


def test_copies_train_where_their_patient_trains_and_nowhere_else(case, cohort_of):
    plain = [case(f"c{i}", f"p{i}", i % 2) for i in range(12)]
    lone = case("lone", "only-copies", 0, copies=(True, True))
    beside = case("beside", "p0", 0, copies=(True,))
    mixed = case("mixed", "p1", 1, copies=(False, True))
    split = nested(cohort_of([*plain, lone, beside, mixed]), folds=3, validation=0.3, seed=5)
    for fold in split.folds:
        sides = members(split)[fold.number]
        assert "lone" in sides["train"]
        assert ("beside" in sides["train"]) == ("c0" in sides["train"])
        assert "beside" not in sides["valid"] | sides["test"]
        (found,) = [c for cases in fold.sides().values() for c in cases if c.id == "mixed"]
        assert len(found.images) == (2 if "mixed" in sides["train"] else 1)
    assert sum("beside" in sides["train"] for sides in members(split)) in (1, 2)


def test_given_follows_the_manifest(case, cohort_of):
    cases = [
        case(f"c{i}", f"p{i}", i % 2, split="test" if i in (2, 3, 7) else "train")
        for i in range(10)
    ]
    cases.append(case("copy", "p2", 0, copies=(True,), split="test"))
    split = given(cohort_of(cases), validation=0.3, seed=1)
    (sides,) = members(split)
    assert split.protocol == "given"
    assert sides["test"] == {"c2", "c3", "c7"}
    assert sides["train"] | sides["valid"] == {f"c{i}" for i in range(10)} - sides["test"]
    assert len(sides["valid"]) == 2


def test_too_few_patients_are_named_with_a_cure(build, cohort_of, case):
    few = build([(f"n{i}", 0, (False,)) for i in range(9)] + [(f"y{i}", 1, (False,)) for i in "12"])
    with pytest.raises(SplitError, match="class 'yes': 2, but 5 folds need 5; ask for fewer folds"):
        nested(few, folds=5, validation=0.2, seed=0)
    with pytest.raises(SplitError, match="'yes': 1, but training and validation of fold 0 need 2"):
        nested(few, folds=2, validation=0.2, seed=0)
    with pytest.raises(SplitError, match="'yes': 2, but training, validation and test need 3"):
        holdout(few, test=0.2, validation=0.2, seed=0)
    copies = build([(f"n{i}", i % 2, (True,)) for i in range(20)])
    with pytest.raises(SplitError, match="'no': 0, but 2 folds need 2"):
        nested(copies, folds=2, validation=0.2, seed=0)
    three = cohort_of([case(f"c{i}", f"p{i}", i % 2) for i in range(10)], ("a", "b", "c"))
    with pytest.raises(SplitError, match="class 'c': 0"):
        nested(three, folds=2, validation=0.2, seed=0)


def test_wrong_requests_are_refused(build, case, cohort_of):
    cohort = build([(f"p{i}", i % 2, (False,)) for i in range(20)])
    with pytest.raises(SplitError, match="2 folds at least, not 1"):
        nested(cohort, folds=1, validation=0.2, seed=0)
    with pytest.raises(SplitError, match="validation share is 1"):
        nested(cohort, folds=2, validation=1.0, seed=0)
    with pytest.raises(SplitError, match="test share is 0"):
        holdout(cohort, test=0.0, validation=0.2, seed=0)
    with pytest.raises(SplitError, match=r"column 'split': nothing is said of p0\.1, p1\.1"):
        given(cohort, validation=0.2, seed=0)
    with pytest.raises(ManifestError, match="'no' is the only one found"):
        nested(build([("p", 0, (False,))]), folds=2, validation=0.2, seed=0)


@pytest.mark.data
def test_a_real_cohort_with_patients_of_both_classes(shared):
    labels = Labels(classes=(("other", ("normal", "none")), ("pneumonia", ("pneumonia",))))
    cohort = read_cohort(shared / "data" / "nih-cxr-pneumonia" / "cohort.csv", labels)
    both = {c.patient for c in cohort.cases if c.target == 0} & {
        c.patient for c in cohort.cases if c.target == 1
    }
    assert both
    split = nested(cohort, folds=5, validation=0.2, seed=1)
    assert sum(len(fold.test) for fold in split.folds) == 716
    for target in (0, 1):
        counts = [len({c.patient for c in f.test if c.target == target}) for f in split.folds]
        assert max(counts) - min(counts) <= 1


SIDED = [("t0", 0, "train"), ("t1", 1, "train"), ("v0", 0, "valid"), ("v1", 1, "valid"),
         ("e0", 0, "test"), ("e1", 1, "test")]  # fmt: skip


def test_given_valid_cases_are_the_validation_side(case, cohort_of):
    cases = [case(name, name, target, split=split) for name, target, split in SIDED]
    cases.append(case("v2", "v0", 1, copies=(False, True), split="valid"))
    for seed in (1, 2):
        fold = given(cohort_of(cases, CLASSES), validation=0.5, seed=seed).folds[0]
        assert [[c.id for c in side] for side in fold.sides().values()] == [
            ["t0", "t1"],
            ["v0", "v1", "v2"],
            ["e0", "e1"],
        ]
        assert len(fold.valid[2].images) == 1  # copies do not judge


@pytest.mark.parametrize("lost", ["t0", "t1", "v0", "v1"])
def test_given_sides_need_both_classes(case, cohort_of, lost):
    cases = [case(name, name, y, split=split) for name, y, split in SIDED if name != lost]
    side, name = {"t": "train", "v": "valid"}[lost[0]], CLASSES[int(lost[1])]
    said = f"class {name!r}: 0, but the side {side!r} need"
    with pytest.raises(SplitError, match=said):
        given(cohort_of(cases, CLASSES), validation=0.5, seed=1)


def test_given_a_patient_is_never_parted(case, cohort_of):
    cases = [case(name, name, y, split=split) for name, y, split in SIDED]
    cases.append(case("more", "v0", 0, split="train"))
    fold = given(cohort_of(cases, CLASSES), validation=0.5, seed=1).folds[0]
    assert "more" in {c.id for c in fold.valid}  # a manifest that says so is refused when read
    assert "more" not in {c.id for c in fold.train}


@SOME
@given_examples(rows=case_lists(), folds=st.integers(2, 3), seed=st.integers(0, 99))
def test_inner_folds_ask_every_patient_once_and_know_no_test_patient(build, rows, folds, seed):
    cohort = build(rows)
    fold = nested(cohort, folds=2, validation=0.4, seed=seed).folds[0]
    tested = {case.patient for case in fold.test}
    both = replace(cohort, cases=tuple(c for c in cohort.cases if c.patient not in tested))
    parts = inner_folds(both, fold, folds=folds, seed=seed)
    assert parts[0] is fold
    asked = [case.id for part in parts for case in part.valid]
    assert sorted(asked) == sorted(c.id for c in both.cases if c.testable)
    for part in parts:
        assert not tested & {case.patient for case in (*part.train, *part.valid)}
        assert {c.target for c in part.valid} == {c.target for c in part.train} == {0, 1}
