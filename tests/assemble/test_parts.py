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
from wholecase.core.kinds import CT, GREY
from wholecase.models import LIGHT, Batch, trainable
from wholecase.models.inputs import Window
from wholecase.recipes import builtin_recipes, read_recipe, recipe_text


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
        ("model.backbone=small_cnn", "kind 'rgb' have 3 channels, and these have 16"),
        ("model.input=unit", "learns from stored features; remove it"),
    ],
)
def test_wrong_parts_are_named(override: str, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        model_of(read_recipe("egfr-clam", [override]), 16, 2, 1)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("model.input=windw", "no input is called 'windw'; did you mean 'window'"),
        ("model.input=window", "the input 'window' needs the option 'centre'"),
        ("model.input={name: window, centre: 40, width: wide}", "input 'window' cannot be built"),
        ("model.input={name: zscore, kind: ct}", "input 'zscore' has no option 'kind'"),
        ("model.input=imagenet", "pixels of the kind 'ct' are HU; use window or unit"),
    ],
)
def test_wrong_inputs_are_named(override: str, told: str) -> None:
    recipe = read_recipe("pcam-attention", [override])
    with pytest.raises(RecipeError, match=told):
        model_of(recipe, CT.channels, 2, 1, kind=CT)


def test_the_recipe_says_how_a_kind_becomes_network_input() -> None:
    ct = read_recipe("pcam-attention", ["model.input={name: window, centre: 40, width: 80}"])
    model = model_of(ct, CT.channels, 2, 1, kind=CT)
    assert model.input == Window(CT, centre=40, width=80)
    assert model.backbone.blocks[0][0].in_channels == 1
    grey = read_recipe("pcam-attention", ["model.input=imagenet"])
    assert model_of(grey, 1, 2, 1, kind=GREY).backbone.blocks[0][0].in_channels == 3
    told = "\n".join(describe(ct))
    assert "model.input.width              80" in told
    assert "of the window, in the kind's unit (80 HU for brain)" in told


def test_a_recipe_that_names_no_input_is_written_as_before() -> None:
    recipe = read_recipe("pcam-attention")
    assert model_of(recipe, 3, 2, 1).input == LIGHT
    assert "input" not in recipe.model.model_dump(mode="json")
    assert "input" not in recipe_text(recipe)


def test_a_network_per_magnification_can_be_described() -> None:
    network = "{name: per_magnification, scales: [40, 100], network: small_cnn}"
    told = "\n".join(describe(read_recipe("pcam-attention", [f"model.backbone={network}"])))
    assert "model.backbone.shared          false" in told
    assert "(backbone 741,632, pool" in told


def test_devices() -> None:
    assert choose_device("auto") == available_devices()[0]
    assert choose_device("cpu") == "cpu"
    with pytest.raises(RecipeError, match="no device is called 'gpu'"):
        choose_device("gpu")
    missing = {"cuda", "mps"} - set(available_devices())
    for device in missing:
        with pytest.raises(RecipeError, match=f"this machine has no {device}"):
            choose_device(device)
