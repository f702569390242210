"""Self-attention agrees with the plain form, bag by bag, in one piece or in parts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError
from wholecase.models import Embedded
from wholecase.models.aggregators import SelfAttention, self_attention
from wholecase.models.precision import lowered

WIDTH, INNER = 6, 5


def aggregator() -> SelfAttention:
    torch.manual_seed(0)
    return SelfAttention(WIDTH, inner=INNER).double()


def bags(lengths: list[int]) -> Embedded:
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(sum(lengths), WIDTH, generator=generator, dtype=torch.float64)
    return Embedded(values, torch.tensor([0, *lengths]).cumsum(0))


def naive(pool: SelfAttention, bag: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Every vector attends, is projected, and the mean is taken at the end."""
    attention = (pool.query(bag) @ pool.key(bag).T / INNER**0.5).softmax(1)
    return pool.output(attention @ pool.value(bag)).mean(0), attention.mean(0)


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_it_agrees_with_the_plain_form(lengths: list[int]) -> None:
    pool, embedded = aggregator(), bags(lengths)
    pooled = pool(embedded)
    expected = [naive(pool, bag) for bag in embedded.values.split(lengths)]
    torch.testing.assert_close(pooled.embedding[:, 0], torch.stack([e for e, _ in expected]))
    torch.testing.assert_close(pooled.weights[:, 0], torch.cat([w for _, w in expected]))


@pytest.mark.parametrize("lengths", [[7], [4, 4, 4], [3, 1, 3, 5]])
def test_parts_change_neither_answer_nor_gradient(
    lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def taught() -> list[torch.Tensor]:
        pool, embedded = aggregator(), bags(lengths)
        pooled = pool(embedded)
        (pooled.embedding.pow(2).sum() + pooled.scores.pow(2).sum()).backward()
        return [pooled.embedding, pooled.weights, *(p.grad for p in pool.parameters())]

    whole = taught()
    monkeypatch.setattr(self_attention, "MOST_PAIRS", 4)
    for a, b in zip(whole, taught(), strict=True):
        torch.testing.assert_close(a, b)


def test_the_softmax_of_the_scores_gives_the_weights_back() -> None:
    pooled = aggregator()(bags([9]))
    torch.testing.assert_close(pooled.scores.softmax(0), pooled.weights)


def test_attention_that_nothing_receives_has_a_finite_score() -> None:
    pool, embedded = aggregator().float(), bags([3])
    strong = Embedded(embedded.values.float() * 1e4, embedded.starts)
    with torch.no_grad():
        pooled = pool(strong)
    assert float(pooled.weights.min()) == 0
    assert torch.isfinite(pooled.scores).all()


def test_a_width_that_cannot_be_is_refused() -> None:
    with pytest.raises(RecipeError, match="`inner` of 1 or more, not 0"):
        SelfAttention(4, inner=0)


def test_with_products_of_sixteen_bits_the_weights_still_sum_to_one() -> None:
    pool, embedded = aggregator().float(), bags([40, 40, 7])
    embedded = Embedded(embedded.values.float(), embedded.starts)
    with torch.no_grad():
        plain = pool(embedded)
        with lowered("bfloat16", torch.device("cpu")):
            lower = pool(embedded)
    assert lower.weights.dtype == lower.embedding.dtype == torch.float32
    for part in lower.weights.split([40, 40, 7]):
        torch.testing.assert_close(part.sum(0), torch.ones(1))
    torch.testing.assert_close(lower.embedding, plain.embedding, atol=0.05, rtol=0.05)
