import pytest

from wholecase.cohort import Fold, Split
from wholecase.core.errors import SplitError


def test_a_patient_on_two_sides_cannot_be_constructed(case):
    train = tuple(case(f"t{i}", f"p{i}", 0) for i in range(9))
    test = tuple(case(f"u{i}", f"p{i}", 1) for i in range(7))
    with pytest.raises(SplitError, match="on two sides: p0, p1, p2, p3, p4 and 2 more"):
        Fold(0, train, (), test)
    with pytest.raises(SplitError, match="on two sides: p3;"):
        Fold(0, train, (case("v", "p3", 0),), (case("u", "q", 1),))
    with pytest.raises(SplitError, match="on two sides: q;"):
        Fold(0, train, (case("v", "q", 0),), (case("u", "q", 1),))


def test_a_fold_needs_somebody_to_learn_from_and_somebody_to_judge(case):
    one = (case("a", "p", 0),)
    with pytest.raises(SplitError, match="fold 3 has an empty train side"):
        Fold(3, (), (), one)
    with pytest.raises(SplitError, match="fold 3 has an empty test side"):
        Fold(3, one, (), ())


def test_copies_are_never_judged(case):
    mixed = case("a", "p", 0, copies=(False, True))
    other = (case("b", "q", 1),)
    with pytest.raises(SplitError, match="would judge train_only images of a"):
        Fold(0, other, (), (mixed,))
    assert len(Fold(0, other, (), (mixed.judged,)).test[0].images) == 1
    assert len(Fold(0, (mixed,), (), other).train[0].images) == 2


def test_a_case_stands_once_in_a_fold(case):
    a, b = case("a", "p", 0), case("b", "q", 1)
    with pytest.raises(SplitError, match="lists cases twice: a;"):
        Fold(0, (a, a), (), (b,))


def test_a_case_is_tested_once_at_most(case):
    a, b, c = (case(name, f"p{name}", 0) for name in "abc")
    first, second = Fold(0, (a,), (), (b, c)), Fold(1, (a,), (c,), (b,))
    with pytest.raises(SplitError, match="tested in more than one fold: b;"):
        Split((first, second), "nested")
    with pytest.raises(SplitError, match="two folds have the number 0"):
        Split((first, Fold(0, (b,), (), (a,))), "nested")
    with pytest.raises(SplitError, match="none"):
        Split((), "nested")
    assert first.sides() == {"train": (a,), "valid": (), "test": (b, c)}
