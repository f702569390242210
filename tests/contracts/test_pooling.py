"""What every pooling of the table promises."""

import pytest
import torch

from wholecase.models import POOLINGS, Pooling


@pytest.fixture(params=POOLINGS)
def pooling(request: pytest.FixtureRequest) -> Pooling:
    return POOLINGS[request.param]()


def test_a_naive_loop_over_cases_agrees(pooling: Pooling) -> None:
    logits, lengths = torch.randn(12, 2), [1, 4, 7]
    starts = torch.tensor([0, *lengths]).cumsum(0)
    together = pooling(logits, starts)
    alone = [pooling(part, torch.tensor([0, len(part)])) for part in logits.split(lengths)]
    torch.testing.assert_close(together.logits, torch.cat([a.logits for a in alone]))
    torch.testing.assert_close(together.weights, torch.cat([a.weights for a in alone]))
    for part in together.weights.split(lengths):
        torch.testing.assert_close(part.sum(0), torch.ones(2))


def test_it_lies_between_least_and_greatest_and_rises_with_each(pooling: Pooling) -> None:
    logits = torch.randn(6, 1, requires_grad=True)
    pooled = pooling(logits, torch.tensor([0, 6])).logits
    assert logits.min() - 1e-6 <= pooled.squeeze() <= logits.max() + 1e-6
    pooled.sum().backward()
    assert (logits.grad >= 0).all()
    torch.testing.assert_close(logits.grad.sum(), torch.tensor(1.0))


def test_the_greatest_wins() -> None:
    decided = POOLINGS["max"]()(torch.tensor([[1.0], [3.0], [3.0], [2.0]]), torch.tensor([0, 4]))
    assert decided.logits.tolist() == [[3.0]]
    assert decided.weights[:, 0].tolist() == [0, 1, 0, 0]
