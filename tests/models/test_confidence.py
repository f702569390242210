"""A term that draws the classes of a step apart: while learning only, and no further than told."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, HEADS, Batch, CaseModel, Head


def judged(head: Head, logits: Tensor, labels: list[int]) -> Tensor:
    """The loss of cases with these logits."""
    names = tuple(str(i) for i in range(len(labels)))
    values = logits[:, None]
    targets = {"label": torch.eye(2)[labels]}
    batch = Batch(values, torch.arange(len(labels) + 1), names, names, targets=targets)
    with torch.no_grad():
        head.judge.last.weight.fill_(1.0)
        head.judge.last.bias.zero_()
    return CaseModel(pool=AGGREGATORS["mean"](1), head=head).train(head.training).loss(batch)


def head(**options: float) -> Head:
    return HEADS["binary"](1, 2, **options).train()


LOGITS, LABELS = torch.tensor([0.2, -0.1, 0.4, -0.6]), [1, 0, 1, 0]


def test_it_is_the_squared_lack_of_distance_between_the_mean_probabilities() -> None:
    p = torch.sigmoid(LOGITS)
    distance = (p[0] + p[2]) / 2 - (p[1] + p[3]) / 2
    assert 0 < distance < 0.3
    plain = F.binary_cross_entropy_with_logits(LOGITS, torch.tensor(LABELS).float())
    told = judged(head(confidence=0.15), LOGITS, LABELS)
    torch.testing.assert_close(told, plain + 0.15 * (0.3 - distance) ** 2)
    torch.testing.assert_close(judged(head(), LOGITS, LABELS), plain)
    torch.testing.assert_close(judged(head(confidence=0.15, margin=0.1), LOGITS, LABELS), plain)


def test_one_class_alone_and_judging_cost_as_without_it() -> None:
    for labels in ([1, 1, 1, 1], [0, 0, 0, 0]):
        wanted = judged(head(), LOGITS, labels)
        torch.testing.assert_close(judged(head(confidence=9.0), LOGITS, labels), wanted)
    wanted = judged(head(), LOGITS, LABELS)
    torch.testing.assert_close(judged(head(confidence=9.0).eval(), LOGITS, LABELS), wanted)


@pytest.mark.parametrize("options", [{"confidence": -0.1}, {"margin": 0.0}, {"margin": 1.5}])
def test_what_cannot_be_is_named(options: dict[str, float]) -> None:
    with pytest.raises(RecipeError, match="confidence of the head `binary` is 0 or more"):
        head(**options)
