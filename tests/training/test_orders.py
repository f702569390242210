"""Balanced epochs: classes alike, patients alike within a class, as many cases as there are."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toys.toy import InMemory
from wholecase.core.errors import RecipeError
from wholecase.training import Example, Shuffled

Case = tuple[int, int]
"""Class and number of the patient."""
cases = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=40)


def examples(drawn: list[Case]) -> InMemory:
    return InMemory(
        [
            Example(str(i), f"p{p}", torch.zeros(1, 1), targets={"label": torch.eye(3)[c]})
            for i, (c, p) in enumerate(drawn)
        ]
    )


def shown(drawn: list[Case], number: int, **options: object) -> list[int]:
    batches = Shuffled(examples(drawn), 3, balance="class", **options)
    return [int(case) for batch in batches.epoch(number) for case in batch.cases]


def evenly(counts: list[int]) -> bool:
    return max(counts) - min(counts) <= 1


@settings(max_examples=100, deadline=None)
@given(cases, st.integers(0, 9), st.integers(1, 4))
def test_classes_alike_and_patients_alike_within(drawn: list[Case], number: int, step: int) -> None:
    order = shown(drawn, number, cases=step)
    assert len(order) == len(drawn)
    classes = {c for c, _ in drawn}
    assert evenly([sum(drawn[i][0] == c for i in order) for c in classes])
    for c in classes:
        patients = {p for other, p in drawn if other == c}
        assert evenly([sum(drawn[i] == (c, p) for i in order) for p in patients])
        for p in patients:
            own = [i for i, case in enumerate(drawn) if case == (c, p)]
            assert evenly([order.count(i) for i in own])


def test_a_rare_class_is_seen_as_often_as_a_frequent_one() -> None:
    drawn = [(0, p) for p in range(18)] + [(1, 20), (1, 21)]
    order = shown(drawn, 0)
    assert Counter(drawn[i][0] for i in order) == {0: 10, 1: 10}
    assert Counter(order)[18] == Counter(order)[19] == 5


def test_a_patient_with_many_cases_counts_once() -> None:
    drawn = [(0, 0)] * 9 + [(0, 1)] + [(1, p) for p in range(2, 12)]
    order = shown(drawn, 0)
    assert Counter(drawn[i] for i in order)[0, 0] == Counter(drawn[i] for i in order)[0, 1] == 5


def test_over_the_epochs_every_case_comes() -> None:
    drawn = [(0, p) for p in range(18)] + [(1, 20), (1, 21)]
    assert {i for number in range(12) for i in shown(drawn, number)} == set(range(20))


def test_an_epoch_can_be_repeated_and_epochs_differ() -> None:
    drawn = [(i % 3, i) for i in range(20)]
    assert shown(drawn, 4) == shown(drawn, 4) != shown(drawn, 5)


def test_judging_shows_each_case_once_in_order() -> None:
    drawn = [(0, 0)] * 5 + [(1, 1)]
    batches = Shuffled(examples(drawn), 3, balance="class")
    assert [case for batch in batches.once() for case in batch.cases] == list("012345")


def test_a_case_without_a_label_cannot_be_balanced() -> None:
    plain = InMemory([Example("a", "p7", torch.zeros(1, 1))])
    with pytest.raises(RecipeError, match=r"'p7' has no label to balance; use batches\.balance"):
        next(Shuffled(plain, 0, balance="class").epoch(0))
    with pytest.raises(RecipeError, match="no balance of batches is called 'clas'; did you mean"):
        Shuffled(plain, 0, balance="clas")
