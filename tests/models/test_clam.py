"""The clustering loss at its edges: tiny bags, ties, subtypes, several cases."""

import pytest
import torch
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, HEADS, Batch, CaseModel
from wholecase.models.heads.clam import smooth_svm


def model(**options: object) -> CaseModel:
    torch.manual_seed(0)
    pool = AGGREGATORS["gated_attention"](5, 2, size="small", heads=1)
    head = HEADS["clam"](pool.embedding_width, 2, pool.branches, **options)
    return CaseModel(pool=pool, head=head).eval()


def batch(lengths: list[int]) -> Batch:
    generator = torch.Generator().manual_seed(1)
    names = tuple(str(i) for i in range(len(lengths)))
    labels = torch.arange(len(lengths)) % 2
    return Batch(
        torch.randn(sum(lengths), 5, generator=generator),
        torch.tensor([0, *lengths]).cumsum(0),
        names,
        names,
        targets={"label": torch.eye(2)[labels]},
    )


@pytest.mark.parametrize("size", range(1, 18))
def test_bags_of_every_size_train(size: int) -> None:
    taught = model().train()
    loss = taught.loss(batch([size]))
    loss.backward()
    assert torch.isfinite(loss)
    learnt = taught.head.instance[0].weight.grad
    assert (learnt is None or not learnt.any()) == (size < 2)


@pytest.mark.parametrize("size", range(2, 18))
def test_no_instance_is_labelled_both_ways(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = model(), []
    forward = asked.head.instance[0].forward
    monkeypatch.setattr(
        asked.head.instance[0], "forward", lambda x: (seen.append(x), forward(x))[1]
    )
    with torch.no_grad():
        asked.loss(batch([size]))
    (chosen,) = seen
    assert len(chosen) == 2 * min(8, size // 2)
    assert len(chosen.unique(dim=0)) == len(chosen)


def test_where_all_are_attended_alike_nothing_is_clustered() -> None:
    torch.manual_seed(0)
    given, alike = batch([9, 4]), CaseModel(pool=AGGREGATORS["mean"](5), head=HEADS["clam"](5, 2))
    with torch.no_grad():
        answer = alike(given)
        assert float(alike.head.cluster(answer, given)) == 0
        bag = F.cross_entropy(answer.logits, given.targets["label"])
        torch.testing.assert_close(alike.loss(given), 0.7 * bag)


def test_the_loss_is_the_naive_one() -> None:
    asked, given = model(instance_loss="cross_entropy", k_sample=3, bag_weight=0.6), batch([9])
    with torch.no_grad():
        answer = asked(given)
        order = answer.pooled.scores[:, 0].argsort(descending=True)
        judged = asked.head.instance[0](answer.pooled.instances)
        top = F.cross_entropy(judged[order[:3]], torch.ones(3).long(), reduction="sum")
        low = F.cross_entropy(judged[order[-3:]], torch.zeros(3).long(), reduction="sum")
        bag = F.cross_entropy(answer.logits, torch.tensor([0]))
        expected = 0.6 * bag + 0.4 * (top + low) / 6
    torch.testing.assert_close(asked.loss(given).detach(), expected)


def test_a_batch_is_the_mean_of_its_cases() -> None:
    asked = model(subtyping=True)
    whole = batch([1, 9, 17, 4])
    parts = []
    for b in range(4):
        begin, end = whole.starts[b : b + 2].tolist()
        parts.append(
            Batch(
                whole.values[begin:end],
                torch.tensor([0, end - begin]),
                whole.cases[b : b + 1],
                whole.patients[b : b + 1],
                targets={"label": whole.targets["label"][b : b + 1]},
            )
        )
    with torch.no_grad():
        alone = torch.stack([asked.loss(part) for part in parts]).mean()
        torch.testing.assert_close(asked.loss(whole), alone)


def test_smooth_svm_is_its_formula() -> None:
    logits = torch.randn(7, 3)
    targets = torch.tensor([0, 1, 2, 0, 1, 2, 1])
    naive = torch.stack(
        [
            torch.log(sum(torch.exp(row[j] - row[t] + (0.0 if j == t else 1.0)) for j in range(3)))
            for row, t in zip(logits, targets.tolist(), strict=True)
        ]
    ).mean()
    torch.testing.assert_close(smooth_svm(logits, targets), naive)


def test_impossible_options_are_named() -> None:
    with pytest.raises(RecipeError, match="sigmoid or softmax"):
        HEADS["clam"](5, 2, output="tanh")
    with pytest.raises(RecipeError, match="use softmax"):
        HEADS["clam"](5, 3, output="sigmoid")
    with pytest.raises(RecipeError, match="branches multi"):
        HEADS["clam"](5, 2, 2, output="sigmoid")
    with pytest.raises(RecipeError, match="no instance loss is called 'swm'; did you mean 'svm'"):
        HEADS["clam"](5, 2, instance_loss="swm")
