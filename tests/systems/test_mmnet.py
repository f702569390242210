"""The recipe for four magnifications, number for number."""

from pathlib import Path

import pytest
import torch

from wholecase.assemble import check_recipe, describe, model_of
from wholecase.models import CaseModel
from wholecase.models.aggregators import CrossMagnification
from wholecase.models.backbones.attended import Attended
from wholecase.models.heads import Focal
from wholecase.recipes import read_recipe
from wholecase.training import Adaptive

NAME = "breakhis-mmnet"
SMALL = (
    "model.backbone.network={name: attended, network: {name: small_cnn, channels: [4, 6]}, "
    "reduction: 2}"
)


@pytest.fixture(scope="module")
def model() -> CaseModel:
    return model_of(read_recipe(NAME), 3, 2, 1, counts=(24, 58))


def parameters(module: torch.nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def test_the_settings_are_those_that_are_given() -> None:
    recipe = read_recipe(NAME)
    check_recipe(read_recipe(NAME, [SMALL]))
    assert (recipe.protocol.folds, recipe.protocol.validation) == (5, 0.3)
    train = recipe.train
    assert (train.optimizer.name, train.optimizer.rate, train.optimizer.decay) == (
        *("adamw", 5e-5, 5e-3),
    )
    assert (train.epochs, train.clip_norm) == (25, 1.0)
    assert (train.schedule.name, train.schedule.options["patience"]) == ("plateau", 3)
    assert train.early_stop is not None
    assert (train.early_stop.on, train.early_stop.patience) == ("balanced_accuracy", 7)
    assert train.augment["mixup"] == 0.2
    assert recipe.model.head.options == {
        "hidden": [256],
        "dropout": 0.7,
        "gamma": 2.0,
        "alpha": 0.7,
        "alpha_on": "minority",
        "smoothing": 0.2,
    }
    assert recipe.views is not None
    assert Adaptive(1, **recipe.views.options).sets == 16


def test_the_parts_are_those_of_the_table(model: CaseModel) -> None:
    (attended,) = model.backbone.networks
    assert isinstance(attended, Attended)
    assert parameters(attended.network) == 6_513_184
    assert attended.width == 1280
    assert len(attended.places.scores) == 3
    assert isinstance(model.pool, CrossMagnification)
    assert model.pool.scales.tolist() == [40, 100, 200, 400]
    assert isinstance(model.head, Focal)
    assert model.head._weights == (0.7, pytest.approx(0.3)), "benign are fewer"


def test_the_described_recipe_tells_parameters_per_part() -> None:
    told = "\n".join(describe(read_recipe(NAME, ["cut.side_px=16", SMALL])))
    parts = told.partition("PARAMETERS PER PART")[2].partition("TRAINABLE")[0]
    counts = {
        line.split()[0]: int(line.split()[1].replace(",", "")) for line in parts.split("\n") if line
    }
    assert set(counts) == {
        *(f"backbone.networks.0.{part}" for part in ("network", "places", "channels")),
        *(f"pool.{part}" for part in ("embed", "magnification", "hierarchy", "fusion")),
        *("pool.importance", "head.judge.hidden", "head.judge.last"),
    }
    assert f"from epoch 0: {sum(counts.values()):,} (" in told


def test_four_networks_are_four() -> None:
    shared, apart = (
        model_of(read_recipe(NAME, [SMALL, f"model.backbone.shared={word}"]), 3, 2, 1).backbone
        for word in ("true", "false")
    )
    assert parameters(apart) == 4 * parameters(shared)


def test_the_page_maps_the_names_of_the_original() -> None:
    page = Path(__file__).parents[2] / "docs" / "recipes" / f"{NAME}.md"
    text = page.read_text()
    for name in ("MultiScaleAttentionPool", "ClinicalChannelAttention", "ClinicalCrossMagFusion"):
        assert name in text
    assert "6,513,184" in text
