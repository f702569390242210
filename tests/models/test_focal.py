"""Focal loss, label smoothing and their order with mixup, against cases worked by hand."""

import math

import pytest
import torch
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.models import HEADS, Answer, Batch, Head, Pooled

THIRD = math.log(0.5)
"""The logit of a probability of 1/3."""


def loss(head: Head, logits: Tensor, labels: Tensor) -> float:
    names = tuple(str(i) for i in range(len(labels)))
    starts = torch.arange(len(labels) + 1)
    targets = {"label": labels}
    batch = Batch(torch.zeros(len(labels), 1), starts, names, names, targets=targets)
    row = torch.zeros(len(labels), 1)
    pooled = Pooled(row[:, None], row, row, row, starts)
    return float(head.loss(Answer(pooled, logits, names, names, targets), batch))


def focal(**options: object) -> Head:
    return HEADS["focal"](1, 2, **options)


POSITIVE, NEGATIVE = torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]])
LOGIT = torch.tensor([[THIRD]])


def test_worked_by_hand() -> None:
    """p = 1/3, gamma 2: 4/9 ln 3 of a positive, 1/9 ln 3/2 of a negative case."""
    hit, miss = 4 / 9 * math.log(3), 1 / 9 * math.log(1.5)
    assert loss(focal(), LOGIT, POSITIVE) == pytest.approx(hit)
    assert loss(focal(), LOGIT, NEGATIVE) == pytest.approx(miss)
    assert loss(focal(alpha=0.7), LOGIT, POSITIVE) == pytest.approx(0.7 * hit)
    assert loss(focal(alpha=0.7), LOGIT, NEGATIVE) == pytest.approx(0.3 * miss)
    both = torch.cat([POSITIVE, NEGATIVE])
    told = loss(focal(alpha=0.7, alpha_on="negative"), LOGIT.expand(2, 1), both)
    assert told == pytest.approx((0.3 * hit + 0.7 * miss) / 2)
    assert loss(focal(gamma=0), LOGIT, POSITIVE) == pytest.approx(math.log(3))


def test_smoothing_makes_the_target_eight_tenths_and_a_tenth() -> None:
    hit, miss = 0.7 * 4 / 9 * math.log(3), 0.3 * 1 / 9 * math.log(1.5)
    head = focal(alpha=0.7, smoothing=0.2)
    assert loss(head, LOGIT, POSITIVE) == pytest.approx(0.9 * hit + 0.1 * miss)
    assert loss(head, LOGIT, NEGATIVE) == pytest.approx(0.1 * hit + 0.9 * miss)
    # mixed 3 : 1 first, then smoothed: 0.8 * 0.75 + 0.1
    mixed = 0.75 * POSITIVE + 0.25 * NEGATIVE
    assert loss(head, LOGIT, mixed) == pytest.approx(0.7 * hit + 0.3 * miss)


def test_the_minority_is_the_class_with_fewer_training_cases() -> None:
    hit, miss = 4 / 9 * math.log(3), 1 / 9 * math.log(1.5)
    for counts, weight in (((24, 58), 0.3), ((58, 24), 0.7), ((9, 9), 0.7), (None, 0.7)):
        head = focal(alpha=0.7, alpha_on="minority", counts=counts)
        assert loss(head, LOGIT, POSITIVE) == pytest.approx(weight * hit)
        assert loss(head, LOGIT, NEGATIVE) == pytest.approx((1 - weight) * miss)


def test_sure_mistakes_cost_a_finite_sum() -> None:
    logits = torch.tensor([[-200.0]], requires_grad=True)
    names, starts = ("a",), torch.tensor([0, 1])
    batch = Batch(torch.zeros(1, 1), starts, names, names, targets={"label": POSITIVE})
    row = torch.zeros(1, 1)
    answer = Answer(Pooled(row[:, None], row, row, row, starts), logits, names, names)
    told = focal().loss(answer, batch)
    told.backward()
    assert float(told.detach()) == pytest.approx(200)
    assert torch.isfinite(logits.grad).all()


def test_several_classes_are_smoothed_too() -> None:
    head = HEADS["multiclass"](1, 4, smoothing=0.2)
    logits = torch.tensor([[0.0, math.log(2), 0.0, 0.0]])
    log_p = [math.log(1 / 5), math.log(2 / 5)]
    expected = -(0.85 * log_p[1] + 3 * 0.05 * log_p[0])
    told = loss(head, logits, torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
    assert told == pytest.approx(expected)
    plain = loss(HEADS["multiclass"](1, 4), logits, torch.tensor([[0.0, 1.0, 0.0, 0.0]]))
    assert plain == pytest.approx(-log_p[1])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"gamma": -1.0}, "gamma of the head `focal` is 0 or more"),
        ({"alpha": 1.0}, "alpha between 0 and 1, not 2 and 1.0"),
        ({"alpha": 0.7, "alpha_on": "rare"}, "positive, negative or minority, not 'rare'"),
        ({"smoothing": 1.0}, "smoothing of a head is 0 or more and less than 1, not 1"),
    ],
)
def test_what_cannot_be_is_told(options: dict[str, object], said: str) -> None:
    with pytest.raises(RecipeError, match=said):
        focal(**options)
    if "smoothing" in options:
        with pytest.raises(RecipeError, match=said):
            HEADS["multiclass"](1, 3, **options)
