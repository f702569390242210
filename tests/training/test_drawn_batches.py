"""Patients in a ratio and classes times cases: nobody is left out, and each step keeps its form."""

from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toys import InMemory
from wholecase.cohort import Case, Fold
from wholecase.core.errors import RecipeError
from wholecase.experiment.steps import lone_notes
from wholecase.recipes import read_recipe
from wholecase.training import BATCHES, Batches, Classes, Drawn, Example, Patients


def cases(labels: list[int], per_patient: int = 1) -> InMemory:
    """Neighbours share a patient and a label."""
    count = max(labels, default=0) + 1
    return InMemory(
        [
            Example(f"{i}-{k}", f"p{i}", torch.zeros(2, 1), targets={"label": torch.eye(count)[c]})
            for i, c in enumerate(labels)
            for k in range(per_patient)
        ]
    )


@given(st.integers(2, 9), st.integers(3, 12), st.integers(1, 3), st.integers(0, 5))
def test_each_step_holds_two_positive_and_three_negative_patients(
    positive: int, negative: int, per_patient: int, number: int
) -> None:
    learn = cases([1] * positive + [0] * negative, per_patient)
    steps = list(Patients(learn, 7).epoch(number))
    assert len(steps) == max(-(-positive // 2), -(-negative // 3))
    for step in steps:
        patients = Counter(step.patients)
        assert set(patients.values()) == {per_patient}, "with all of its cases"
        owners = {
            p: int(t.argmax()) for p, t in zip(step.patients, step.targets["label"], strict=True)
        }
        assert sorted(owners.values()) == [0, 0, 0, 1, 1]
    shown = Counter(p for step in steps for p in set(step.patients))
    assert len(shown) == positive + negative
    for side in (range(positive), range(positive, positive + negative)):
        times = [shown[f"p{i}"] for i in side]
        assert max(times) - min(times) <= 1


def test_a_patient_with_a_positive_case_is_positive() -> None:
    learn = InMemory(
        [
            Example(f"{i}", f"p{i // 2}", torch.zeros(1, 1), targets={"label": torch.eye(2)[c]})
            for i, c in enumerate([0, 1, 0, 0, 0, 0, 0, 0])
        ]
    )
    (step,) = Patients(learn, 0, positive=1, negative=3).epoch(0)
    assert step.patients[:2] == ("p0", "p0")


@given(st.lists(st.integers(0, 3), min_size=24, max_size=40), st.integers(1, 3))
def test_each_step_holds_different_cases_of_each_class(labels: list[int], k: int) -> None:
    counts = Counter(labels)
    learn = cases(labels)
    batches = Classes(learn, 1, cases=k)
    if len(counts) < 2 or min(counts.values()) < k:
        with pytest.raises(RecipeError, match="lower"):
            next(batches.epoch(0))
        return
    steps = list(batches.epoch(0))
    assert len(steps) == max(1, len(labels) // (k * len(counts)))
    for step in steps:
        assert len(set(step.cases)) == len(step.cases)
        assert Counter(step.targets["label"].argmax(1).tolist()) == dict.fromkeys(counts, k)
    shown = Counter(case for step in steps for case in step.cases)
    for label in counts:
        times = [shown[f"{i}-0"] for i, own in enumerate(labels) if own == label]
        assert max(times) - min(times) <= 1


def of_patients(sizes: list[list[int]]) -> InMemory:
    """Of each class the cases of each patient."""
    return InMemory(
        [
            Example(f"{c}-{p}-{k}", f"p{c}-{p}", torch.zeros(1, 1), targets={"label": own})
            for c, (own, patients) in enumerate(zip(torch.eye(2), sizes, strict=True))
            for p, count in enumerate(patients)
            for k in range(count)
        ]
    )


by_patient = st.lists(st.integers(1, 20), min_size=1, max_size=5)


@given(st.tuples(by_patient, by_patient), st.integers(2, 6), st.integers(0, 3))
def test_a_step_holds_two_patients_of_each_class_that_has_them(
    sizes: tuple[list[int], list[int]], k: int, number: int
) -> None:
    learn = of_patients([[own + k for own in of_class] for of_class in sizes])
    shown: Counter[str] = Counter()
    for step in Classes(learn, 1, cases=k).epoch(number):
        assert len(set(step.cases)) == 2 * k
        for label, of_class in enumerate(sizes):
            own = {p for p in step.patients if p.startswith(f"p{label}")}
            assert len(own) >= min(2, len(of_class))
        shown.update(step.cases)
    for label, of_class in enumerate(sizes):
        if len(of_class) > 1 and len(set(of_class)) == 1:  # nobody has most of the cases
            times = [shown[e.case] for e in learn if e.case.startswith(f"{label}-")]
            assert max(times) - min(times) <= 2


def test_so_many_patients_times_so_many_images() -> None:
    learn = of_patients([[9] * 7, [4, 5, 6, 2, 8]])
    batches = Classes(learn, 1, cases=16, patients=4)
    shown: Counter[str] = Counter()
    for step in [step for number in range(12) for step in batches.epoch(number)]:
        each = Counter(step.patients)
        assert len(each) == 8, "4 of each class"
        assert {count for name, count in each.items() if name != "p1-3"} == {4}
        assert each.get("p1-3", 2) == 2, "all that it has"
        assert len(set(step.cases)) == len(step.cases)
        shown.update(step.cases)
    assert len(shown) == len(learn)
    with pytest.raises(RecipeError, match=r"patients=6 asks for more patients .* the 5 of class"):
        next(Classes(learn, 1, cases=12, patients=6).epoch(0))


def test_a_class_that_one_patient_teaches_is_told() -> None:
    recipe = read_recipe("metric-ensemble")
    known = {n: Case(n, n[0], (), target=int(n[0] == "d")) for n in ("a1", "b1", "c1", "d1", "d2")}
    fold = Fold(2, tuple(known[n] for n in ("a1", "b1", "d1", "d2")), (), (known["c1"],))
    (note,) = lone_notes(recipe, [fold], ("normal", "disease"))
    assert note.startswith("One patient alone teaches class 'disease' in fold 2, ")
    shuffled = read_recipe("metric-ensemble", ["batches={name: shuffled, cases: 8}"])
    assert lone_notes(shuffled, [fold], ("normal", "disease")) == []


def test_some_classes_at_a_time() -> None:
    batches = Classes(cases([0, 1, 2, 3] * 6), 1, classes=2, cases=3)
    met = [
        set(step.targets["label"].argmax(1).tolist()) for n in range(9) for step in batches.epoch(n)
    ]
    assert all(len(labels) == 2 for labels in met)
    assert set().union(*met) == {0, 1, 2, 3}


MEMBERS = {
    "patients": lambda learn, seed, views=None: Patients(learn, seed, views),
    "classes": lambda learn, seed, views=None: Classes(learn, seed, views, cases=2),
}


@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_an_epoch_can_be_repeated_and_epochs_differ(make) -> None:
    batches: Batches = make(cases([0, 1] * 10), 3)
    order = [[step.cases for step in batches.epoch(n)] for n in (0, 0, 1)]
    assert order[0] == order[1] != order[2]
    other = [step.cases for step in make(cases([0, 1] * 10), 4).epoch(0)]
    assert order[0] != other


@pytest.mark.parametrize("make", MEMBERS.values(), ids=MEMBERS)
def test_judging_takes_each_case_in_order_and_views_where_there_are_any(make) -> None:
    learn = cases([0, 1] * 4)
    assert [c for b in make(learn, 0).judged() for c in b.cases] == [e.case for e in learn]
    views = Drawn(0, instances=1, sets=2)
    judged = list(make(learn, 0, views).judged())
    assert Counter(c for b in judged for c in b.cases) == dict.fromkeys((e.case for e in learn), 2)
    for batch in [*judged, *make(learn, 0, views).epoch(0)]:
        assert len(batch.values) == len(batch.cases)
    assert all(len(b.values) == 2 * len(b.cases) for b in make(learn, 0, views).once())


def test_too_few_are_told_with_the_cure() -> None:
    with pytest.raises(RecipeError, match=r"positive=2 asks for more positive patients .* the 1 "):
        next(Patients(cases([1, 0, 0, 0]), 0).epoch(0))
    with pytest.raises(RecipeError, match=r"more than 2 classes; use `classes`"):
        next(Patients(cases([1, 0, 2]), 0).epoch(0))
    with pytest.raises(RecipeError, match=r"cases=4 asks for .* the 1 of class number 1"):
        next(Classes(cases([0, 0, 0, 0, 1]), 0).epoch(0))
    with pytest.raises(RecipeError, match=r"ask for 3 classes in a step, and cases of 2 learn"):
        next(Classes(cases([0, 1] * 4), 0, classes=3).epoch(0))
    bare = InMemory([Example("a", "p7", torch.zeros(1, 1))])
    for name in MEMBERS:
        with pytest.raises(RecipeError, match="'p7' has no label to balance"):
            next(BATCHES[name](bare, 0).epoch(0))


@pytest.mark.parametrize("options", [{"positive": 0}, {"negative": 0}, {"instances": 0}])
def test_impossible_patients_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match="at least 1"):
        Patients(cases([0, 1]), 0, **options)


@pytest.mark.parametrize("options", [{"patients": 1}, {"patients": 3}])
def test_patients_that_do_not_divide_the_cases_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match=r"2 or more and divides batches.cases.*not \d of 4"):
        Classes(cases([0, 1]), 0, cases=4, **options)


@pytest.mark.parametrize("options", [{"classes": 1}, {"cases": 0}, {"instances": 0}])
def test_impossible_classes_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(RecipeError, match="at least 2 of `classes` and 1 of"):
        Classes(cases([0, 1]), 0, **options)
