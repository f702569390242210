"""L2 on hidden weights is a term of training, and no part of what losses tell."""

import pytest
import torch

from toys import InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, HEADS, CaseModel
from wholecase.training import Example, Schedule, Shuffled, fit, pack


def model(l2: float) -> CaseModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        head = HEADS["binary"](3, 2, hidden=(4, 5), dropout=0.0, l2=l2)
        return CaseModel(pool=AGGREGATORS["mean"](3), head=head)


def examples() -> list[Example]:
    generator = torch.Generator().manual_seed(1)
    return [
        Example(str(i), str(i), torch.randn(2, 3, generator=generator), targets=target(i % 2))
        for i in range(8)
    ]


def test_it_is_the_sum_of_squares_of_the_hidden_weights_alone() -> None:
    head = model(0.5).head
    first, second = head.judge.hidden[0], head.judge.hidden[3]
    expected = 0.5 * (first.weight.pow(2).sum() + second.weight.pow(2).sum())
    torch.testing.assert_close(head.penalty(), expected)
    head.penalty().backward()
    assert head.judge.last.weight.grad is None
    assert first.bias.grad is None
    torch.testing.assert_close(first.weight.grad, first.weight)


@pytest.mark.parametrize("name", HEADS)
def test_heads_have_none_unless_they_are_told(name: str) -> None:
    assert HEADS[name](4, 2).penalty() == 0.0


def test_the_loss_does_not_know_it() -> None:
    batch = pack(examples())
    assert torch.equal(model(0.0).loss(batch), model(10.0).loss(batch))


def test_the_loop_follows_it_and_tells_the_loss_without_it() -> None:
    """One step of plain descent is the step of loss and penalty together."""
    taught, expected = model(0.3), model(0.3)
    batches = Shuffled(InMemory(examples()), 0, cases=8)
    schedule = Schedule(epochs=1, optimizer="sgd", rate=0.1)
    history = fit(taught, (batches, batches), schedule, seed=0)
    before = expected.loss(pack(examples()))
    hidden = [expected.head.judge.hidden[i].weight for i in (0, 3)]
    (before + 0.3 * sum(w.pow(2).sum() for w in hidden)).backward()
    assert history.epochs[0].train_loss == pytest.approx(float(before.detach()))
    for a, b in zip(taught.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(a.detach(), (b - 0.1 * b.grad).detach())
    after = float(expected_loss(taught))
    assert history.epochs[0].valid_loss == pytest.approx(after)


def expected_loss(taught: CaseModel) -> torch.Tensor:
    with torch.no_grad():
        return torch.nn.functional.binary_cross_entropy_with_logits(
            taught(pack(examples())).logits[:, 0],
            pack(examples()).targets["label"][:, 1],
        )


@pytest.mark.parametrize("options", [{"l2": -1.0}, {"l2": 0.1, "hidden": ()}])
def test_a_penalty_on_nothing_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="of the head `binary` weighs the weights of hidden"):
        HEADS["binary"](3, 2, **options)
