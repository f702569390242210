"""What every aggregator of the table promises."""

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.models import AGGREGATORS, Aggregator, Embedded

WIDTH = 12
SCALES = torch.tensor([5.0, 10.0, 40.0])
OPTIONS = {
    "concatenated": {"scales": [5, 10, 40]},
    "cross_magnification": {"scales": [5, 10, 40]},
}
"""With which options a member is held to the contract."""
LAYERED = ("attention", "gated_attention", "max", "mean")
"""Members that may have hidden layers before they pool; held to the contract with them, too."""
VARIANTS = {name: OPTIONS.get(name, {}) for name in AGGREGATORS} | {
    f"{name}, layered": {"hidden": [10, 6]} for name in LAYERED
}


@pytest.fixture(params=VARIANTS)
def aggregator(request: pytest.FixtureRequest) -> Aggregator:
    torch.manual_seed(0)
    name = request.param.removesuffix(", layered")
    return AGGREGATORS[name](WIDTH, **VARIANTS[request.param]).eval()


def bags(lengths: list[int], seed: int = 0) -> Embedded:
    generator = torch.Generator().manual_seed(seed)
    values = torch.randn(sum(lengths), WIDTH, generator=generator)
    scale = SCALES[torch.arange(len(values)) % len(SCALES)]
    return Embedded(values, torch.tensor([0, *lengths]).cumsum(0), scale)


def test_shapes_and_weights(aggregator: Aggregator) -> None:
    embedded = bags([1, 4, 17])
    with torch.no_grad():
        pooled = aggregator(embedded)
    branches = aggregator.branches
    assert pooled.embedding.shape == (3, branches, aggregator.embedding_width)
    assert pooled.weights.shape == pooled.scores.shape == (22, branches)
    for part in pooled.weights.split([1, 4, 17]):
        torch.testing.assert_close(part.sum(0), torch.ones(branches))


def test_a_naive_loop_over_cases_agrees(aggregator: Aggregator) -> None:
    embedded = bags([1, 4, 17, 2])
    with torch.no_grad():
        together = aggregator(embedded)
        alone = [
            aggregator(Embedded(part, torch.tensor([0, len(part)]), scale))
            for part, scale in zip(
                embedded.values.split([1, 4, 17, 2]),
                embedded.scale.split([1, 4, 17, 2]),
                strict=True,
            )
        ]
    torch.testing.assert_close(together.embedding, torch.cat([a.embedding for a in alone]))
    torch.testing.assert_close(together.weights, torch.cat([a.weights for a in alone]))


def test_order_of_instances_changes_nothing(aggregator: Aggregator) -> None:
    embedded = bags([9])
    order = torch.randperm(9, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        straight = aggregator(embedded)
        turned = aggregator(
            Embedded(embedded.values[order], embedded.starts, embedded.scale[order])
        )
    torch.testing.assert_close(straight.embedding, turned.embedding)
    torch.testing.assert_close(straight.weights[order], turned.weights)


def test_gradients_reach_every_parameter(aggregator: Aggregator) -> None:
    plain = bags([3, 5])
    embedded = Embedded(plain.values.requires_grad_(), plain.starts, plain.scale)
    aggregator(embedded).embedding.pow(2).sum().backward()
    assert plain.values.grad is not None
    assert plain.values.grad.abs().sum() > 0
    for name, parameter in aggregator.named_parameters():
        # a shift of all scores leaves a softmax as it is
        if name != "score.bias":
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("name", LAYERED)
def test_hidden_layers_are_those_of_each_instance_and_what_is_behind_sees_nothing_else(
    name: str,
) -> None:
    torch.manual_seed(0)
    layered = AGGREGATORS[name](WIDTH, hidden=[10, 6]).eval()
    plain = AGGREGATORS[name](6).eval()
    behind = {k: v for k, v in layered.state_dict().items() if not k.startswith("hidden.")}
    plain.load_state_dict(behind)
    embedded = bags([3, 5])
    with torch.no_grad():
        first, _, _, second, _, _ = layered.hidden
        hidden = torch.relu(second(torch.relu(first(embedded.values))))
        expected = plain(Embedded(hidden, embedded.starts))
        told = layered(embedded)
    torch.testing.assert_close(told.embedding, expected.embedding)
    torch.testing.assert_close(told.weights, expected.weights)


def test_a_hidden_layer_has_a_width() -> None:
    with pytest.raises(RecipeError, match=r"width of 1 or more each, not \[8, 0\]"):
        AGGREGATORS["mean"](WIDTH, hidden=[8, 0])
