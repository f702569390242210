"""Every built-in recipe can be put together, and wrong options are named before any work."""

import pytest
import torch

from wholecase.assemble import (
    available_devices,
    choose_device,
    cut_of,
    describe,
    labels_of,
    model_of,
    schedule_of,
)
from wholecase.core.errors import RecipeError
from wholecase.models import Batch, trainable
from wholecase.recipes import builtin_recipes, read_recipe


@pytest.mark.parametrize("name", builtin_recipes())
def test_every_recipe_can_be_assembled_and_described(name: str) -> None:
    recipe = read_recipe(name)
    model = model_of(recipe, 16 if recipe.model.backbone is None else 3, 2, 1)
    assert trainable(model) > 0
    assert schedule_of(recipe).epochs == recipe.train.epochs
    assert cut_of(recipe).settings
    assert len(labels_of(recipe).classes) >= 2
    told = "\n".join(describe(recipe))
    for needed in ("SETTINGS", "LAYERS", "TRAINABLE PARAMETERS", "train.optimizer.rate"):
        assert needed in told
    assert "Undefined" not in told


def test_described_parameters_are_those_of_the_model() -> None:
    recipe = read_recipe("egfr-clam")
    count = trainable(model_of(recipe, 1024, 2, 1))
    assert f"from epoch 0: {count:,}" in "\n".join(describe(recipe))
    assert count == 708_749


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.aggregator.heads=1", "model.head={name: clam, hidden: [], output: softmax}"],
        [
            "model.aggregator.heads=1",
            "model.aggregator.branches=multi",
            "model.head={name: clam, hidden: [], output: softmax}",
        ],
        ["model.aggregator.heads=1", "model.head={name: binary, hidden: []}"],
        ["model.head={name: binary, hidden: [256], dropout: 0.25}"],
        ["model.aggregator=mean"],
        ["model.aggregator=max"],
        ["model.images=max"],
        ["model.images=mean", "model.decide=instance", "model.pooling=max"],
        ["model.head.class_weights=[1, 4]"],
        ["model.head.class_weights=balanced"],
    ],
    ids=" ".join,
)
def test_the_models_of_the_recipes_page_can_be_asked_for(overrides: list[str]) -> None:
    recipe = read_recipe("egfr-clam", overrides)
    model = model_of(recipe, 16, 2, 1, counts=(7, 3)).eval()
    starts = torch.tensor([0, 4, 5])
    batch = Batch(torch.randn(5, 16), starts, ("a", "b"), ("a", "b"), images=starts)
    rows = model.head.probabilities(model(batch))
    torch.testing.assert_close(rows.sum(1), torch.ones(2))
    told = "\n".join(describe(recipe, 16))
    assert f"model.images.name              {recipe.model.images.name}" in told
    assert ".counts" not in told


def test_weights_are_fixed_by_the_seed_and_global_state_is_left_alone() -> None:
    recipe = read_recipe("egfr-clam")
    before = torch.get_rng_state()
    a, b, c = (model_of(recipe, 16, 2, seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(before, torch.get_rng_state())
    name = "pool.embed.0.weight"
    assert torch.equal(a[name], b[name])
    assert not torch.equal(a[name], c[name])


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.aggregator.head=8", "aggregator 'gated_attention' has no option 'head'; did you"),
        ("model.aggregator.name=atention", "no aggregator is called 'atention'"),
        ("model.head.name=binry", "no head is called 'binry'; did you mean 'binary'"),
        ("model.aggregator.size=huge", "no size of attention is called 'huge'"),
        ("model.head.dropout=much", "head 'clam' cannot be built with .*dropout='much'"),
        ("model.images=meen", "no rule for several images is called 'meen'; did you mean 'mean'"),
        ("model.images.least=3", "images=together makes one bag and has no options"),
        ("model.head.class_weights=[1, 2, 3]", "class_weights are 2 positive numbers"),
        ("model.head.counts=[1, 2]", "head 'clam' has no option 'counts'"),
        ("model.backbone=resnet", "no backbone is called 'resnet'"),
    ],
)
def test_wrong_parts_are_named(override: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        model_of(read_recipe("egfr-clam", [override]), 16, 2, 1)


def test_devices() -> None:
    assert choose_device("auto") == available_devices()[0]
    assert choose_device("cpu") == "cpu"
    with pytest.raises(RecipeError, match="no device is called 'gpu'"):
        choose_device("gpu")
    missing = {"cuda", "mps"} - set(available_devices())
    for device in missing:
        with pytest.raises(RecipeError, match=f"this machine has no {device}"):
            choose_device(device)
