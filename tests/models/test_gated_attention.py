"""Gated attention is what the paper says."""

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import Embedded, trainable
from wholecase.models.aggregators import GatedAttention


@pytest.mark.parametrize(("size", "gate"), [("tiny", 64), ("small", 256), ("big", 384)])
def test_one_head_is_the_published_formula(size: str, gate: int) -> None:
    torch.manual_seed(0)
    model = GatedAttention(20, size=size, heads=1).eval()
    bag = torch.randn(7, 20)
    with torch.no_grad():
        pooled = model(Embedded(bag, torch.tensor([0, 7])))
        hidden = torch.relu(bag @ model.embed[0].weight.T + model.embed[0].bias)
        signal = torch.tanh(hidden @ model.signal.weight[0] + model.signal.bias[0])
        gated = signal * torch.sigmoid(hidden @ model.gate.weight[0] + model.gate.bias[0])
        scores = gated @ model.score.weight[0] + model.score.bias[0]
        weights = scores.softmax(0)
    assert gated.shape[1] == gate
    torch.testing.assert_close(pooled.scores, scores)
    torch.testing.assert_close(pooled.weights, weights)
    torch.testing.assert_close(pooled.embedding[0, 0], (weights * hidden).sum(0))


def test_parameters_of_the_published_sizes() -> None:
    # Linear(1024, 512); two of Linear(512, 384); Linear(384, 1)
    expected = 1024 * 512 + 512 + 2 * (512 * 384 + 384) + 384 + 1
    assert trainable(GatedAttention(1024, size="big", heads=1)) == expected
    # eight heads of 64 with gates of 48 each
    split = 1024 * 512 + 512 + 8 * (2 * (64 * 48 + 48) + 48 + 1)
    assert trainable(GatedAttention(1024, size="big", heads=8)) == split


def test_each_head_attends_on_its_own_and_the_mean_is_shown() -> None:
    torch.manual_seed(0)
    model = GatedAttention(20, size="small", heads=4).eval()
    bag = torch.randn(6, 20)
    with torch.no_grad():
        pooled = model(Embedded(bag, torch.tensor([0, 6])))
        parts = model.embed(bag).relu().unflatten(1, (4, -1))
        gated = torch.tanh(model.signal(parts)) * torch.sigmoid(model.gate(parts))
        weights = model.score(gated)[..., 0].softmax(0)  # [6, 4]
    for head in range(4):
        part = (weights[:, head, None] * parts[:, head]).sum(0)
        torch.testing.assert_close(pooled.embedding[0, 0].unflatten(0, (4, -1))[head], part)
    torch.testing.assert_close(pooled.weights[:, 0], weights.mean(1))


def test_heads_must_divide_the_widths() -> None:
    with pytest.raises(RecipeError, match="cannot split"):
        GatedAttention(20, heads=7)
