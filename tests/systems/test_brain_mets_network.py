"""The recipe for brain metastases, number for number."""

from collections.abc import Iterator

import pytest
import torch
from torch import nn

from wholecase.assemble import check_recipe, describe, model_of, schedule_of
from wholecase.assemble.case_models import pixels_of
from wholecase.core.errors import WholecaseError
from wholecase.core.kinds import CT, RGB
from wholecase.models import Batch, CaseModel, trainable
from wholecase.models.inputs import Window
from wholecase.models.poolings import MaxLogit
from wholecase.recipes import read_recipe
from wholecase.training import optimizer_for
from wholecase.training.optimizer import set_modes

LEARNS = {0: 1_049_601, 5: 16_014_337, 12: 23_112_705}
"""The given table says 7.9 and 14.9 million in stages 2 and 3; its layers have these."""
LAYER3, LAYER4 = "backbone.network.layer3", "backbone.network.layer4"


@pytest.fixture(scope="module")
def model() -> CaseModel:
    return model_of(read_recipe("brain-mets-ct"), CT.channels, 2, 1)


def test_the_described_recipe_tells_what_learns_in_every_stage() -> None:
    told = "\n".join(describe(read_recipe("brain-mets-ct", ["cut.side_px=32"])))
    total = 24_551_361
    for start, count in LEARNS.items():
        assert f"from epoch {start}: {count:,} (" in told
    assert f"(head 1,049,601); 4.3% of {total:,}" in told
    assert f"(backbone 14,964,736, head 1,049,601); 65.2% of {total:,}" in told
    assert f"(backbone 22,063,104, head 1,049,601); 94.1% of {total:,}" in told
    assert "ct pixels of 1 channel, 32 x 32" in told
    assert "[T, 2048, 1, 1]" in told


def test_the_parts_are_those_of_the_table(model: CaseModel) -> None:
    assert model.input == Window(CT, centre=40, width=80, zscore="slice")
    assert isinstance(model.pool, MaxLogit)
    assert [type(layer) for layer in model.head.judge.hidden] == [nn.Linear, nn.ReLU, nn.Dropout]
    assert model.head.judge.hidden[0].weight.shape == (512, 2048)
    assert model.head.judge.hidden[2].p == 0.4
    assert model.backbone.network.conv1.weight.shape == (64, 1, 7, 7)


def _norms(model: CaseModel, *, learning: bool) -> Iterator[str]:
    for name, module in model.named_modules():
        if isinstance(module, nn.BatchNorm2d) and module.training == learning:
            yield name


@pytest.mark.parametrize("epoch", [0, 4, 5, 11, 12, 39])
def test_rates_decay_and_batchnorm_of_every_stage(model: CaseModel, epoch: int) -> None:
    schedule = schedule_of(read_recipe("brain-mets-ct"), CT)
    optimizer = optimizer_for(model, schedule, epoch)
    rates = {"head": 5e-5}
    rates |= {LAYER4: 1e-5} if epoch >= 5 else {}
    rates |= {LAYER3: 5e-6} if epoch >= 12 else {}
    decays = {"head": 1e-3, LAYER4: 1e-4, LAYER3: 1e-4}
    found = {}
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            found[parameter] = (group["lr"], group["weight_decay"])
    for name, parameter in model.named_parameters():
        part = next((p for p in rates if name.startswith(f"{p}.")), None)
        wanted = None if part is None else (rates[part], decays[part])
        assert found.get(parameter) == wanted, name
    assert trainable(model) == LEARNS[max(start for start in LEARNS if start <= epoch)]
    set_modes(model, schedule)
    awake = set(_norms(model, learning=True))
    assert {name[: len(LAYER4)] for name in awake} == set(rates) - {"head"}
    assert len(awake) + len(set(_norms(model, learning=False))) == 53
    assert (schedule.epochs, schedule.optimizer, schedule.clip_norm) == (40, "adamw", 1.0)


def test_changes_are_in_hounsfield_units_and_differ_by_class() -> None:
    recipe = read_recipe("brain-mets-ct")
    augment = schedule_of(recipe, CT).augment
    assert augment is not None
    assert augment.kind == CT
    with pytest.raises(WholecaseError, match=r"brightness is a number in \[0, 1\], not 2"):
        schedule_of(recipe, RGB)


def test_three_windows_leave_the_colours_of_the_first_convolution() -> None:
    three = ["model.input={name: window, windows: [[40, 80], [80, 200], [40, 380]]}"]
    recipe = read_recipe("brain-mets-ct", [*three, "model.backbone.network=resnet10t"])
    assert model_of(recipe, CT.channels, 2, 1).backbone.network.conv1[0].in_channels == 3


def test_weights_that_are_not_there_are_missed_before_any_image_is_opened() -> None:
    recipe = read_recipe("brain-mets-ct", ["model.backbone.weights=none/net.pt"])
    with pytest.raises(WholecaseError, match=r"there is no weight file .*none/net\.pt"):
        check_recipe(recipe)


@pytest.mark.parametrize(
    "overrides",
    [
        ["model.input={name: window, windows: [[40, 80], [80, 200], [40, 380]], zscore: slice}"],
        ["model.input.zscore=none"],
        ["model.pooling={name: top_k, k: 3}"],
        ["model.pooling={name: log_sum_exp, sharpness: 5.0}"],
        ["model.pooling=noisy_or"],
        ["model.decide=case", "model.aggregator=gated_attention"],
        ["model.head.positive_weight=2.0", "model.head.confidence=0.15"],
        ["choose.threshold=swept_f1", "choose.calibration=none"],
        ["model.backbone.network=mobilenetv2_100", "train.stages=[]"],
        ["model.backbone={name: small_cnn, channels: [16, 32]}", "train.stages=[]"],
        ["model.pixels=rgb", "model.input=imagenet", "train.augment={flips: horizontal}"],
    ],
    ids=" ".join,
)
def test_the_variants_of_the_recipes_page_can_be_asked_for(overrides: list[str]) -> None:
    recipe = read_recipe("brain-mets-ct", ["model.backbone.network=resnet10t", *overrides])
    check_recipe(recipe)
    kind = pixels_of(recipe)
    model = model_of(recipe, kind.channels, 2, 1).eval()
    values = torch.zeros(3, kind.channels, 32, 32, dtype=getattr(torch, kind.dtype))
    with torch.no_grad():
        answer = model(Batch(values, torch.tensor([0, 2, 3]), ("a", "b"), ("a", "b")))
    assert answer.logits.shape == (2, 1)
