"""What every head of the table promises."""

import pytest
import torch
from torch import nn

from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, HEADS, Batch, CaseModel, Head, remember


@pytest.fixture(params=HEADS)
def head(request: pytest.FixtureRequest) -> Head:
    torch.manual_seed(0)
    return HEADS[request.param](6, 2).eval()


def batch(count: int = 5) -> Batch:
    generator = torch.Generator().manual_seed(0)
    names = tuple(str(i) for i in range(count))
    return Batch(
        torch.randn(count, 6, generator=generator),
        torch.arange(count + 1),
        names,
        names,
        targets={"label": torch.eye(2)[torch.arange(count) % 2]},
    )


def known(model: CaseModel, shown: Batch) -> CaseModel:
    """In evaluation mode, and shown its cases if the head remembers."""
    remember(model.eval(), [shown])
    return model


def test_rows_sum_to_one_and_logits_have_the_width_it_says(head: Head) -> None:
    model = known(CaseModel(pool=AGGREGATORS["mean"](6), head=head), batch())
    answer = model(batch())
    assert answer.logits.shape == (5, head.logit_width)
    rows = head.probabilities(answer)
    torch.testing.assert_close(rows.sum(1), torch.ones(5))


def test_its_loss_falls_when_it_is_followed(head: Head) -> None:
    # a head that remembers is taught by comparing, and judges by what it remembers
    model = CaseModel(pool=AGGREGATORS["mean"](6), head=head).train(head.remembers)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    first = float(model.loss(batch()).detach())
    for _ in range(150):
        optimizer.zero_grad()
        loss = model.loss(batch())
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < first / 2
    known(model, batch())
    rows = head.probabilities(model(batch()))
    assert rows.argmax(1).tolist() == [0, 1, 0, 1, 0]


def test_its_loss_is_a_mean_over_cases(head: Head) -> None:
    whole = batch(4)
    model = known(CaseModel(pool=AGGREGATORS["mean"](6), head=head), whole)
    parts = [
        Batch(
            whole.values[i : i + 1],
            torch.tensor([0, 1]),
            whole.cases[i : i + 1],
            whole.patients[i : i + 1],
            targets={"label": whole.targets["label"][i : i + 1]},
        )
        for i in range(4)
    ]
    mean = torch.stack([model.loss(part) for part in parts]).mean()
    torch.testing.assert_close(model.loss(whole), mean)


def test_branches_are_judged_each_by_its_own_weights() -> None:
    head = HEADS["multiclass"](6, 3).eval()
    embedding = torch.randn(4, 3, 6)
    own = torch.stack(
        [embedding[:, c] @ head.judge.last.weight[c] + head.judge.last.bias[c] for c in range(3)],
        1,
    )
    torch.testing.assert_close(head.logits(embedding), own)


@pytest.mark.parametrize("name", HEADS)
def test_soft_targets_are_allowed(name: str) -> None:
    # clam's clustering follows the likelier class; its bag loss is what is asked about here
    options = {"clam": {"bag_weight": 1.0}, "focal": {"gamma": 0.0}}.get(name, {})
    head = HEADS[name](6, 2, **options).eval()
    model = CaseModel(pool=AGGREGATORS["mean"](6), head=head)
    soft = batch(2)
    mixed = Batch(
        soft.values,
        soft.starts,
        soft.cases,
        soft.patients,
        targets={"label": torch.tensor([[0.3, 0.7], [1.0, 0.0]])},
    )
    known(model, mixed)
    logp = head.probabilities(model(mixed)).log()
    expected = -(mixed.targets["label"] * logp).sum(1).mean()
    torch.testing.assert_close(model.loss(mixed), expected, atol=1e-5, rtol=1e-4)


def test_binary_refuses_three_classes() -> None:
    with pytest.raises(RecipeError, match="use `multiclass`"):
        HEADS["binary"](6, 3)


def test_covariates_enter_as_a_linear_term() -> None:
    term = nn.Linear(2, 1, bias=False)
    head = HEADS["binary"](6, 2)
    model = CaseModel(pool=AGGREGATORS["mean"](6), head=head, covariates=term).eval()
    plain = batch(3)
    batch_with = Batch(
        plain.values,
        plain.starts,
        plain.cases,
        plain.patients,
        covariates=torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]),
    )
    without = model.head.logits(plain.values[:, None])
    shift = (model(batch_with).logits - without)[:, 0]
    weight = model.covariates.weight[0]
    torch.testing.assert_close(shift, torch.stack([weight[0] * 0, weight[0], 2 * weight[1]]))
