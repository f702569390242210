"""Segment operations agree with a naive loop over bags."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.models.segments import (
    owners,
    segment_argmax,
    segment_max,
    segment_mean,
    segment_softmax,
    segment_sum,
)

sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)
seeds = st.integers(0, 2**16)


def packed(lengths: list[int], seed: int) -> tuple[torch.Tensor, torch.Tensor, list[torch.Tensor]]:
    generator = torch.Generator().manual_seed(seed)
    # few distinct values, so that ties happen
    values = torch.randint(-3, 4, (sum(lengths), 3), generator=generator).double()
    starts = torch.tensor([0, *lengths]).cumsum(0)
    return values, starts, list(values.split(lengths))


@settings(max_examples=60, deadline=None)
@given(sizes, seeds)
def test_sums_means_and_maxima(lengths: list[int], seed: int) -> None:
    values, starts, bags = packed(lengths, seed)
    torch.testing.assert_close(segment_sum(values, starts), torch.stack([b.sum(0) for b in bags]))
    torch.testing.assert_close(segment_mean(values, starts), torch.stack([b.mean(0) for b in bags]))
    torch.testing.assert_close(segment_max(values, starts), torch.stack([b.amax(0) for b in bags]))


@settings(max_examples=60, deadline=None)
@given(sizes, seeds)
def test_argmax_takes_the_first_of_equals(lengths: list[int], seed: int) -> None:
    values, starts, bags = packed(lengths, seed)
    naive = [
        [int(starts[i]) + column.index(max(column)) for column in bag.T.tolist()]
        for i, bag in enumerate(bags)
    ]
    assert segment_argmax(values, starts).tolist() == naive


@settings(max_examples=60, deadline=None)
@given(sizes, seeds, st.sampled_from([1.0, 300.0]))
def test_softmax_is_that_of_each_bag_even_for_large_scores(
    lengths: list[int], seed: int, factor: float
) -> None:
    values, starts, bags = packed(lengths, seed)
    naive = torch.cat([(bag * factor).softmax(0) for bag in bags])
    torch.testing.assert_close(segment_softmax(values * factor, starts), naive)


@settings(max_examples=30, deadline=None)
@given(sizes, seeds)
def test_gradients_are_those_of_the_loop(lengths: list[int], seed: int) -> None:
    values, starts, _ = packed(lengths, seed)
    values = values + torch.arange(len(values))[:, None] * 1e-3  # no ties: their gradient is free
    ours, naive = values.clone().requires_grad_(), values.clone().requires_grad_()
    mix = torch.linspace(-1, 1, values.numel()).view_as(values).double()
    (segment_softmax(ours, starts) * mix).sum().backward()
    segment_max(ours, starts).pow(2).sum().backward()
    bags = naive.split(lengths)
    (torch.cat([b.softmax(0) for b in bags]) * mix).sum().backward()
    torch.stack([b.amax(0) for b in bags]).pow(2).sum().backward()
    torch.testing.assert_close(ours.grad, naive.grad)


def test_owners() -> None:
    assert owners(torch.tensor([0, 1, 4])).tolist() == [0, 1, 1, 1]
