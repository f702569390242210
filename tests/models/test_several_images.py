"""A case judged image by image is what a loop over its images says."""

import pytest
import torch
from torch import Tensor

from wholecase.models import AGGREGATORS, HEADS, POOLINGS, Aggregator, Answer, Batch, CaseModel
from wholecase.models.backbones import SmallCnn

WIDTH = 6
CASES = [[3, 1, 4], [2], [5, 2]]
"""Instances of each image of each case."""


def batch(cases: list[list[int]] = CASES, seed: int = 1) -> Batch:
    sizes = [size for images in cases for size in images]
    lengths = torch.tensor([0, *(sum(images) for images in cases)])
    names = tuple(str(i) for i in range(len(cases)))
    return Batch(
        torch.randn(sum(sizes), WIDTH, generator=torch.Generator().manual_seed(seed)),
        lengths.cumsum(0),
        names,
        names,
        targets={"label": torch.eye(2)[torch.arange(len(cases)) % 2]},
        images=torch.tensor([0, *sizes]).cumsum(0),
    )


def aggregator(name: str, branches: str = "single") -> Aggregator:
    options = {"size": "small", "branches": branches} if "attention" in name else {}
    return AGGREGATORS[name](WIDTH, **options)


def model(
    rule: str | None, pool: str = "gated_attention", head: str = "binary", **options: object
) -> CaseModel:
    torch.manual_seed(0)
    several = None if rule is None else POOLINGS[rule]()
    if pool.startswith("each "):
        pooling = POOLINGS[pool.removeprefix("each ")]()
        made = HEADS[head](WIDTH, 2, **options)
        return CaseModel(pool=pooling, head=made, images=several).eval()
    made_pool = aggregator(pool)
    made = HEADS[head](made_pool.embedding_width, 2, **options)
    return CaseModel(pool=made_pool, head=made, images=several).eval()


def asked(model: CaseModel, batch: Batch) -> Answer:
    with torch.no_grad():
        return model(batch)


def naive(model: CaseModel, values: Tensor, sizes: list[int], rule: str) -> tuple[Tensor, Tensor]:
    """One logit row and the instances' weights, image after image by a model of single bags."""
    single = CaseModel(pool=model.pool, head=model.head).eval()
    said = [
        asked(single, Batch(part, torch.tensor([0, len(part)]), ("x",), ("x",)))
        for part in values.split(sizes)
    ]
    logits = torch.cat([answer.logits for answer in said])
    decided = POOLINGS[rule]()(logits, torch.tensor([0, len(logits)]))
    if rule == "mean":
        shares = torch.full_like(logits, 1 / len(logits))
    elif rule == "max":
        shares = torch.zeros_like(logits).scatter(0, logits.argmax(0, keepdim=True), 1.0)
    else:
        shares = decided.weights
    own = shares
    if shares.shape[1] != said[0].pooled.weights.shape[1]:
        own = shares.mean(1, keepdim=True)
    parts = [w * answer.pooled.weights for w, answer in zip(own, said, strict=True)]
    told = (shares * logits).sum(0) if rule in {"mean", "max"} else decided.logits[0]
    return told, torch.cat(parts)


POOLS = ["gated_attention", "attention", "mean", "max", "each max", "each mean"]


@pytest.mark.parametrize("rule", POOLINGS)
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("head", ["binary", "multiclass", "clam"])
def test_a_naive_loop_over_images_agrees(pool: str, head: str, rule: str) -> None:
    judge, given = model(rule, pool, head), batch()
    answer = asked(judge, given)
    parts = given.values.split(given.starts.diff().tolist())
    for b, (values, sizes) in enumerate(zip(parts, CASES, strict=True)):
        logits, weights = naive(judge, values, sizes, rule)
        torch.testing.assert_close(answer.logits[b], logits)
        begin, end = answer.pooled.starts[b : b + 2].tolist()
        torch.testing.assert_close(answer.pooled.weights[begin:end], weights)
        torch.testing.assert_close(weights.sum(0), torch.ones(weights.shape[1]))
    assert answer.pooled.starts.tolist() == given.starts.tolist()


@pytest.mark.parametrize("rule", POOLINGS)
def test_a_branch_per_class_weighs_the_images_by_its_own_logit(rule: str) -> None:
    torch.manual_seed(0)
    pool = aggregator("gated_attention", "multi")
    head = HEADS["clam"](pool.embedding_width, 2, pool.branches)
    judge, given = CaseModel(pool=pool, head=head, images=POOLINGS[rule]()).eval(), batch()
    answer = asked(judge, given)
    logits, weights = naive(judge, given.values[:8], CASES[0], rule)
    torch.testing.assert_close(answer.logits[0], logits)
    torch.testing.assert_close(answer.pooled.weights[:8], weights)


@pytest.mark.parametrize("rule", [rule for rule in POOLINGS if rule != "noisy_or"])
@pytest.mark.parametrize("head", ["binary", "multiclass", "clam"])
def test_one_image_per_case_is_one_bag_to_the_last_bit(head: str, rule: str) -> None:
    given = batch([[4], [1], [7]])
    ours, together = model(rule, head=head), model(None, head=head)
    one, other = asked(ours, given), asked(together, given)
    assert torch.equal(one.logits, other.logits)
    for column in ("embedding", "weights", "scores", "instances", "starts"):
        assert torch.equal(getattr(one.pooled, column), getattr(other.pooled, column)), column
    assert torch.equal(ours.loss(given), together.loss(given))


@pytest.mark.parametrize("rule", POOLINGS)
def test_neither_the_order_of_images_nor_that_within_them_changes_an_answer(rule: str) -> None:
    given, judge = batch([[3, 1, 4]]), model(rule, head="clam", output="sigmoid")
    parts = [part.flip(0) for part in given.values.split([3, 1, 4])][::-1]
    turned = Batch(
        torch.cat(parts), given.starts, ("0",), ("0",), images=torch.tensor([0, 4, 5, 8])
    )
    torch.testing.assert_close(asked(judge, turned).logits, asked(judge, given).logits)
    weights = asked(judge, turned).pooled.weights
    torch.testing.assert_close(weights.flip(0), asked(judge, given).pooled.weights)


def test_several_vectors_of_an_instance_stay_in_its_image() -> None:
    torch.manual_seed(0)
    backbone, pool, head = SmallCnn(3, channels=(4,)), AGGREGATORS["mean"](4), HEADS["binary"](4, 2)
    judge = CaseModel(backbone=backbone, pool=pool, head=head, images=POOLINGS["max"]()).eval()
    pixels = torch.rand(5, 3, 8, 8)
    starts, images = torch.tensor([0, 3, 5]), torch.tensor([0, 1, 3, 5])
    answer = asked(judge, Batch(pixels, starts, ("a", "b"), ("a", "b"), images=images))
    single = CaseModel(backbone=backbone, pool=pool, head=head).eval()
    names = ("x", "y", "z")
    each = asked(single, Batch(pixels, images, names, names)).logits
    torch.testing.assert_close(answer.logits, torch.stack([each[:2].max(), each[2, 0]])[:, None])
    assert answer.pooled.starts.tolist() == [0, 3 * 16, 5 * 16]


def test_the_losing_image_learns_nothing_and_the_patient_has_one_loss() -> None:
    judge, given = model("max", "mean"), batch([[2, 3]])
    values = given.values.requires_grad_()
    loss = judge.loss(given)
    assert loss.shape == ()
    loss.backward()
    touched = [bool(part.any()) for part in values.grad.split([2, 3])]
    winner = int(asked(judge, given).pooled.weights[2:].sum() > 0.5)
    assert touched == [winner == 0, winner == 1]


def test_a_batch_that_does_not_tell_its_images_is_not_guessed() -> None:
    plain = Batch(torch.zeros(3, WIDTH), torch.tensor([0, 3]), ("a",), ("a",))
    with pytest.raises(ValueError, match="does not tell its images"):
        model("max")(plain)


@pytest.mark.parametrize("images", [[0, 2], [0, 1, 3, 4], [1, 2, 4], [0, 2, 2, 4], [0, 2, 5]])
def test_images_divide_the_bags(images: list[int]) -> None:
    with pytest.raises(ValueError, match="do not divide"):
        Batch(
            torch.zeros(4, 1), torch.tensor([0, 2, 4]), ("a", "b"), ("a", "b"),
            images=torch.tensor(images),
        )  # fmt: skip
