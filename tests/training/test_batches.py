"""Which cases meet, and that none is lost."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from toys.toy import InMemory
from wholecase.core.errors import RecipeError
from wholecase.training import Example, Shuffled


def bags(lengths: list[int]) -> InMemory:
    values = torch.arange(sum(lengths), dtype=torch.float32)[:, None]
    parts = values.split(lengths)
    return InMemory(
        [
            Example(str(i), str(i), part, targets={"label": torch.eye(2)[i % 2]})
            for i, part in enumerate(parts)
        ]
    )


lengths = st.lists(st.integers(1, 30), min_size=1, max_size=15)


@settings(max_examples=60, deadline=None)
@given(lengths, st.integers(1, 40), st.integers(1, 5), st.integers(0, 9))
def test_every_case_once_within_both_bounds(
    sizes: list[int], instances: int, cases: int, number: int
) -> None:
    batches = Shuffled(bags(sizes), 3, instances=instances, cases=cases)
    seen = []
    for batch in batches.epoch(number):
        assert len(batch.cases) <= cases
        assert len(batch.values) <= instances or len(batch.cases) == 1
        seen += batch.cases
    assert sorted(seen) == sorted(str(i) for i in range(len(sizes)))


def test_an_epoch_can_be_repeated_and_epochs_differ() -> None:
    batches = Shuffled(bags([1] * 20), 3)
    order = [[b.cases for b in batches.epoch(n)] for n in (0, 0, 1)]
    assert order[0] == order[1] != order[2]


def test_judging_takes_all_instances_in_order() -> None:
    batches = Shuffled(bags([5, 7, 2]), 0, instances=8, max_instances=3)
    assert [b.cases for b in batches.once()] == [("0",), ("1",), ("2",)]
    assert [len(b.values) for b in batches.once()] == [5, 7, 2]


def test_learning_draws_other_instances_each_epoch() -> None:
    batches = Shuffled(bags([50]), 0, max_instances=10)
    drawn = [next(iter(batches.epoch(n))).values[:, 0].tolist() for n in range(3)]
    assert all(len(set(values)) == 10 for values in drawn)
    assert drawn[0] != drawn[1]


def test_impossible_bounds_are_refused() -> None:
    with pytest.raises(RecipeError, match="at least 1"):
        Shuffled(bags([1]), 0, cases=0)
