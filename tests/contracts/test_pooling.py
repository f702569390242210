"""What every pooling of the table promises."""

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import POOLINGS, Pooling
from wholecase.models.poolings import LogSumExp, MaxLogit, NoisyOr, TopK


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
    pooled.sum().backward()
    assert (logits.grad >= 0).all()
    if isinstance(pooling, NoisyOr):  # alone in counting how many are suspicious
        assert pooled.squeeze() > logits.max()
        return
    assert logits.min() - 1e-6 <= pooled.squeeze() <= logits.max() + 1e-6
    torch.testing.assert_close(logits.grad.sum(), torch.tensor(1.0))


def test_only_instances_with_a_weight_move_the_case(pooling: Pooling) -> None:
    logits, starts = torch.randn(9, 1, requires_grad=True), torch.tensor([0, 2, 9])
    decided = pooling(logits, starts)
    decided.logits.sum().backward()
    assert torch.equal(logits.grad != 0, decided.weights > 0)
    assert pooling.few == bool((decided.weights == 0).any())


def test_the_order_of_instances_changes_nothing(pooling: Pooling) -> None:
    logits, starts = torch.randn(7, 1), torch.tensor([0, 7])
    turned = pooling(logits.flip(0), starts)
    torch.testing.assert_close(turned.logits, pooling(logits, starts).logits)


def test_top_k_is_the_mean_of_the_highest_and_of_all_in_a_small_bag() -> None:
    logits, starts = torch.tensor([[1.0], [5.0], [3.0], [2.0]]), torch.tensor([0, 3, 4])
    decided = TopK(k=2)(logits, starts)
    assert decided.logits.tolist() == [[4.0], [2.0]]
    assert decided.weights[:, 0].tolist() == [0, 0.5, 0.5, 1]


def test_log_sum_exp_goes_from_mean_to_max() -> None:
    logits, starts = torch.tensor([[-1.0], [0.0], [4.0]]), torch.tensor([0, 3])
    blunt, plain, sharp = (
        float(LogSumExp(sharpness=r)(logits, starts).logits) for r in (1e-3, 1.0, 1e3)
    )
    assert blunt == pytest.approx(1.0, abs=0.01)
    assert plain == pytest.approx(float(logits.exp().mean().log()))
    assert sharp == pytest.approx(4.0, abs=0.01)


def test_noisy_or_is_the_chance_that_any_is_positive() -> None:
    logits, starts = torch.randn(5, 1).double(), torch.tensor([0, 5])
    wanted = 1 - (1 - torch.sigmoid(logits)).prod()
    pooled = NoisyOr()(logits, starts).logits.squeeze()
    torch.testing.assert_close(torch.sigmoid(pooled), wanted)
    for far in (-200.0, -60.0, 60.0):
        logit = torch.tensor([[far]], requires_grad=True)
        alone = NoisyOr()(logit, torch.tensor([0, 1])).logits
        alone.sum().backward()
        assert torch.isfinite(alone).all()
        assert torch.isfinite(logit.grad).all()


@pytest.mark.parametrize("make", [lambda: TopK(k=0), lambda: LogSumExp(sharpness=0.0)])
def test_what_cannot_be_is_named(make) -> None:
    with pytest.raises(RecipeError, match=r"model\.pooling\."):
        make()


def test_the_greatest_wins() -> None:
    decided = POOLINGS["max"]()(torch.tensor([[1.0], [3.0], [3.0], [2.0]]), torch.tensor([0, 4]))
    assert decided.logits.tolist() == [[3.0]]
    assert decided.weights[:, 0].tolist() == [0, 1, 0, 0]


def test_a_smooth_maximum_sharpens_to_the_maximum_and_keeps_what_it_had() -> None:
    logits, starts = torch.randn(9, 2), torch.tensor([0, 2, 9])
    pooling = LogSumExp(sharpness=1.0, sharpens=[[2, 5.0], [4, "max"]])
    expected = {0: LogSumExp(sharpness=1.0), 1: LogSumExp(sharpness=1.0)}
    expected |= {2: LogSumExp(sharpness=5.0), 3: LogSumExp(sharpness=5.0)}
    expected |= {4: MaxLogit(), 9: MaxLogit()}
    for epoch, own in expected.items():
        pooling.turn(epoch)
        here, there = pooling(logits, starts), own(logits, starts)
        torch.testing.assert_close(here.logits, there.logits)
        torch.testing.assert_close(here.weights, there.weights)
    again = LogSumExp(sharpness=1.0, sharpens=[[2, 5.0], [4, "max"]])
    again.load_state_dict(pooling.state_dict())
    torch.testing.assert_close(again(logits, starts).logits, MaxLogit()(logits, starts).logits)
    assert not LogSumExp(sharpness=2.0).state_dict()


@pytest.mark.parametrize("course", [[[-1, 2.0]], [["a", 2.0]], [[3, 0.0]], [[3, "most"]], [[3]]])
def test_a_course_that_cannot_be_is_refused(course: list) -> None:
    with pytest.raises(RecipeError, match="sharpens"):
        LogSumExp(sharpens=course)
