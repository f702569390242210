"""Judging in blocks is judging at once, whatever bags the blocks cut through."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.models import Embedded, Pooled
from wholecase.models.attention import Scored, pool_by_scores
from wholecase.models.running import attend, pool_in_blocks

PART = 3
"""Width of what each head sees."""

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def bags(lengths: list[int], columns: int, seed: int, level: float) -> Embedded:
    """Values whose first columns are the scores, scaled up to `level`."""
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(sum(lengths), columns, generator=generator, dtype=torch.float64)
    starts = torch.tensor([0, *lengths]).cumsum(0)
    return Embedded(values * level, starts)


class Score:
    """Each instance on its own; keeps how many were asked about at once."""

    def __init__(self, heads: int, branches: int, level: float, shift: float = 0.0) -> None:
        self.heads, self.branches, self.level, self.shift = heads, branches, level, shift
        self.asked: list[int] = []

    def __call__(self, values: torch.Tensor) -> Scored:
        self.asked.append(len(values))
        scores = values[:, : self.heads * self.branches] + self.shift
        hidden = values[:, -self.heads * PART :] / self.level
        return Scored(hidden, scores.reshape(len(values), self.heads, self.branches))


def both(
    lengths: list[int], shape: tuple[int, int], block: int, level: float, seed: int
) -> tuple[Pooled, Pooled, Score]:
    heads, branches = shape
    score = Score(heads, branches, level)
    embedded = bags(lengths, heads * branches + heads * PART, seed, level)
    whole = pool_by_scores(score(embedded.values), embedded)
    score.asked.clear()
    return pool_in_blocks(score, embedded, block), whole, score


def same(told: Pooled, expected: Pooled, **near: float) -> None:
    for name in ("embedding", "weights", "scores", "instances", "starts"):
        torch.testing.assert_close(getattr(told, name), getattr(expected, name), **near)


@settings(max_examples=120)
@given(
    lengths=LENGTHS,
    block=st.integers(1, 50),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    level=st.sampled_from([1.0, 80.0, 1e4]),
    seed=st.integers(0, 2**31),
)
def test_blocks_change_nothing(lengths, block, shape, level, seed) -> None:
    told, whole, score = both(lengths, shape, block, level, seed)
    same(told, whole, rtol=1e-9, atol=1e-12)
    for bag in told.weights.split(lengths):
        torch.testing.assert_close(bag.sum(0), torch.ones_like(bag[0]))
    assert max(score.asked) <= block
    assert sum(score.asked) == sum(lengths), "each instance is scored once"


@pytest.mark.parametrize("block", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize(
    "scores",
    [
        [80.0, -80.0, 80.0, -80.0, 0.0, 80.0, -80.0, -80.0],
        [-1e4] * 8,
        [1e4] * 8,
        [-1e4, -1e4, -1e4, 1e4, -1e4, -1e4, -1e4, -1e4],
        [float(i) * 1e3 for i in range(8)],
        [-float(i) * 1e3 for i in range(8)],
    ],
    ids=["plus and minus", "low", "high", "one above all", "rising", "falling"],
)
def test_extreme_scores_in_single_precision(scores: list[float], block: int) -> None:
    """Against the definition, in double precision and shifted by hand."""
    score = Score(1, 1, 1.0)
    hidden = torch.randn(8, PART, generator=torch.Generator().manual_seed(3))
    values = torch.cat([torch.tensor(scores)[:, None], hidden], 1)
    starts = torch.tensor([0, 3, 8])
    told = pool_in_blocks(score, Embedded(values, starts), block)
    assert told.embedding.dtype == torch.float32
    for bag, (begin, end) in enumerate([(0, 3), (3, 8)]):
        own = torch.tensor(scores[begin:end]).double()
        weights = (own - own.max()).exp()
        weights /= weights.sum()
        mixed = (weights[:, None] * hidden[begin:end].double()).sum(0)
        torch.testing.assert_close(
            told.weights[begin:end, 0].double(), weights, rtol=1e-5, atol=1e-30
        )
        torch.testing.assert_close(told.embedding[bag, 0].double(), mixed, rtol=1e-5, atol=1e-6)


@settings(max_examples=40)
@given(lengths=LENGTHS, block=st.integers(1, 50), shift=st.sampled_from([-1e4, -80.0, 80.0, 1e4]))
def test_a_shift_of_all_scores_changes_no_weight(lengths, block, shift) -> None:
    embedded = bags(lengths, 2 + 2 * PART, 5, 1.0)
    plain = pool_in_blocks(Score(2, 1, 1.0), embedded, block)
    shifted = pool_in_blocks(Score(2, 1, 1.0, shift), embedded, block)
    torch.testing.assert_close(shifted.weights, plain.weights, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(shifted.embedding, plain.embedding, rtol=1e-8, atol=1e-10)


def test_blocks_are_for_judging_and_for_many() -> None:
    score, embedded = Score(1, 1, 1.0), bags([6, 5], 1 + PART, 0, 1.0)
    with torch.no_grad():
        judged = attend(score, embedded, block=4)
        assert score.asked == [4, 4, 3]
        score.asked.clear()
        attend(score, embedded, block=11)
        assert score.asked == [11], "what fits into a block is scored at once"
    score.asked.clear()
    learnt = attend(score, embedded, block=4)
    assert score.asked == [11], "a gradient needs all of a batch"
    same(judged, learnt)


def test_where_vectors_came_from_is_handed_on() -> None:
    plain = bags([3, 4], 1 + PART, 0, 1.0)
    origin, cell = torch.arange(7) // 2, torch.arange(14).view(7, 2)
    embedded = Embedded(plain.values, plain.starts, origin=origin, cell=cell)
    told = pool_in_blocks(Score(1, 1, 1.0), embedded, 2)
    assert torch.equal(told.origin, origin)
    assert torch.equal(told.cell, cell)
