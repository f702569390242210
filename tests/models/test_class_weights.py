"""A weight counts a case's loss so often, with a mean of one over the training cases."""

import pytest
import torch
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import options_of
from wholecase.models import AGGREGATORS, HEADS, Batch, CaseModel, load_model, save_model

COUNTS = (6, 2)
HEADED = [
    ("binary", {}),
    ("multiclass", {}),
    ("clam", {}),
    ("clam", {"output": "sigmoid", "bag_weight": 0.4}),
]


def model(head: str, counts: tuple[int, ...] | None = COUNTS, **options: object) -> CaseModel:
    torch.manual_seed(0)
    pool = AGGREGATORS["gated_attention"](5, size="small")
    made = HEADS[head](pool.embedding_width, 2, counts=counts, **options)
    return CaseModel(pool=pool, head=made).eval()


def batch(labels: list[list[float]]) -> Batch:
    count = len(labels)
    names = tuple(str(i) for i in range(count))
    return Batch(
        torch.randn(count * 4, 5, generator=torch.Generator().manual_seed(1)),
        torch.arange(count + 1) * 4,
        names,
        names,
        targets={"label": torch.tensor(labels)},
    )


def alone(model: CaseModel, whole: Batch) -> Tensor:
    """The loss of each case in a batch of its own."""
    parts = []
    for b in range(len(whole.cases)):
        values, label = whole.values[4 * b : 4 * b + 4], whole.targets["label"][b : b + 1]
        parts.append(Batch(values, torch.tensor([0, 4]), ("x",), ("x",), targets={"label": label}))
    return torch.stack([model.loss(part).detach() for part in parts])


NEGATIVE, POSITIVE = [1.0, 0.0], [0.0, 1.0]


@pytest.mark.parametrize(("head", "options"), HEADED)
def test_each_case_counts_by_the_weight_of_its_class(head: str, options: dict) -> None:
    given = batch([NEGATIVE, POSITIVE, NEGATIVE])
    plain = alone(model(head, **options), given)
    weighed = alone(model(head, class_weights=[1, 5], **options), given)
    # six cases at w and two at 5 w have a mean of 1: w is 1/2
    torch.testing.assert_close(weighed, plain * torch.tensor([0.5, 2.5, 0.5]))
    whole = model(head, class_weights=[1, 5], **options).loss(given).detach()
    torch.testing.assert_close(whole, weighed.mean())


@pytest.mark.parametrize(("head", "options"), HEADED)
def test_balanced_is_each_class_repeated_until_they_are_equally_many(
    head: str, options: dict
) -> None:
    labels = [NEGATIVE] * 6 + [POSITIVE] * 2
    plain, given = model(head, **options), batch(labels)
    losses = alone(plain, given)
    repeated = torch.cat([losses[:6], losses[6:].repeat(3)]).mean()
    balanced = model(head, class_weights="balanced", **options).loss(given).detach()
    torch.testing.assert_close(balanced, repeated)


def test_their_mean_over_the_training_cases_is_one_whatever_the_unit() -> None:
    for wanted in ([1, 5], [0.2, 1.0], "balanced"):
        weights = model("clam", class_weights=wanted).head.weigh.weights
        assert float((weights * torch.tensor(COUNTS)).sum()) == pytest.approx(sum(COUNTS))
    assert model("clam", class_weights=[3, 3]).head.weigh.weights.tolist() == [1, 1]


def test_a_soft_label_counts_by_its_expected_weight() -> None:
    given = batch([[0.3, 0.7]])
    plain, weighed = model("multiclass"), model("multiclass", class_weights=[1, 5])
    torch.testing.assert_close(weighed.loss(given), plain.loss(given) * (0.3 * 0.5 + 0.7 * 2.5))


def test_three_classes() -> None:
    head = HEADS["multiclass"](4, 3, class_weights="balanced", counts=(1, 2, 3))
    torch.testing.assert_close(head.weigh.weights, torch.tensor([2.0, 1.0, 2 / 3]))


def test_they_travel_in_the_checkpoint_and_without_them_nothing_does(tmp_path) -> None:
    trained, file = model("clam", class_weights="balanced"), tmp_path / "model.safetensors"
    save_model(file, trained, {})
    # whoever only asks does not know the training cases
    asked = model("clam", counts=None, class_weights="balanced")
    given = batch([NEGATIVE, POSITIVE])
    assert not torch.equal(asked.loss(given), trained.loss(given))
    load_model(file, asked)
    assert torch.equal(asked.loss(given), trained.loss(given))
    assert not [name for name in model("clam").state_dict() if ".weigh." in name]


@pytest.mark.parametrize(
    "head", [name for name, made in HEADS.items() if "class_weights" in options_of(made)]
)
@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ([1, 2, 3], "2 positive numbers, one per class"),
        ([1.0], "2 positive numbers, one per class"),
        ([1, -1], "2 positive numbers"),
        ([0, 1], "2 positive numbers"),
        ([1.0, float("nan")], "2 positive numbers"),
        ("balance", "not 'balance'; did you mean 'balanced'"),
    ],
)
def test_impossible_weights_are_named(head: str, wanted: object, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        HEADS[head](4, 2, class_weights=wanted)


def test_what_cannot_be_balanced_and_what_is_said_twice_is_refused() -> None:
    with pytest.raises(RecipeError, match="a training case of every class"):
        HEADS["clam"](4, 2, class_weights="balanced", counts=(7, 0))
    with pytest.raises(RecipeError, match="positive_weight or class_weights, not both"):
        HEADS["binary"](4, 2, class_weights=[1, 2], positive_weight=2.0)
