"""What sleeps is computed once: the same learning, and nothing computed twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from toys import InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT
from wholecase.models import Backbone, Batch, CaseModel
from wholecase.models.backbones import Attended, PerMagnification, ResNetGrey, SmallCnn
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.models.poolings import MaxLogit
from wholecase.training import Augment, Example, Keep, Patients, Reuse, Schedule, Shelf, Stage, fit
from wholecase.training.reuse import sleeping

STAGES = (
    Stage(0, {"head": 1e-2}),
    Stage(1, {"backbone.network.layer4": 1e-3, "head": 1e-2}),
    Stage(3, {"backbone.network.layer3": 1e-3, "backbone.network.layer4": 1e-3, "head": 1e-2}),
)


def network() -> ResNetGrey:
    return ResNetGrey(1, network="resnet10t")


def model(backbone: nn.Module | None = None) -> CaseModel:
    torch.manual_seed(0)
    backbone = network() if backbone is None else backbone
    seen = Window(CT, centre=40, width=80, zscore="slice")
    head = Binary(backbone.width, 2, hidden=())
    return CaseModel(backbone=backbone, input=seen, pool=MaxLogit(), head=head)


def cases(seed: int, count: int = 6, side: int = 32) -> InMemory:
    rng = np.random.default_rng(seed)
    made = []
    for i in range(count):
        pixels = rng.normal(35, 9, (int(rng.integers(1, 5)), 1, side, side)).astype(np.int16)
        pixels[0, 0, 8:16, 8:16] += 30 * (i % 2)
        name = f"{seed}-{i}"
        values = torch.from_numpy(pixels)
        scale = torch.full((len(values),), 40.0)
        made.append(Example(name, name, values, scale, targets=target(i % 2)))
    return InMemory(made)


def sides() -> tuple[Patients, Patients]:
    return tuple(Patients(cases(seed), 1, positive=1, negative=1) for seed in (1, 2))


def taught(reuse: Reuse | None, keep: Keep | None = None, **changes: object) -> tuple:
    schedule = Schedule(epochs=4, stages=STAGES, clip_norm=1.0, reuse=reuse, **changes)
    made = model()
    ran: list[int] = []
    made.backbone.network.conv1.register_forward_hook(lambda *a: ran.append(len(a[1][0])))
    history = fit(made, sides(), schedule, seed=3, keep=keep)
    return made, history, ran


@pytest.mark.parametrize("batchnorm", ["frozen", "active"])
def test_learning_is_the_same_and_each_slice_passes_once_a_stage(batchnorm: str) -> None:
    plain, expected, often = taught(None, batchnorm=batchnorm)
    kept, history, seldom = taught(Reuse(), batchnorm=batchnorm)
    for one, other in zip(expected.epochs, history.epochs, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-5)
        assert other.valid_loss == pytest.approx(one.valid_loss, abs=1e-4)
    if batchnorm == "frozen":
        for name, tensor in plain.state_dict().items():
            torch.testing.assert_close(kept.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)
    slices = sum(side.examples.instances(i) for side in sides() for i in range(6))
    # the row of parts is found with one slice, and each stage is measured with one case
    assert sum(seldom) <= 3 * slices + 1 + 3 * 5
    assert sum(often) > 3.5 * slices


def test_a_case_has_as_many_variants_as_are_kept() -> None:
    augment = Augment.of({"noise": 20.0}, CT)
    _, history, ran = taught(Reuse(variants=2), augment=augment)
    train, valid = (
        sum(side.examples.instances(i) for i in range(len(side.examples))) for side in sides()
    )
    assert sum(ran) <= 3 * (2 * train + valid) + 1 + 3 * 5
    assert len({epoch.train_loss for epoch in history.epochs}) == 4


def test_a_stopped_training_goes_on_bit_for_bit(tmp_path: Path) -> None:
    augment = Augment.of({"noise": 20.0}, CT)
    schedule = Schedule(epochs=3, stages=STAGES, reuse=Reuse(variants=2), augment=augment)
    whole = fit(model(), sides(), schedule, seed=3)

    def stop(epoch: object) -> None:
        if epoch.number == 1:
            raise KeyboardInterrupt

    keep = Keep(tmp_path / "last.safetensors", "key")
    with pytest.raises(KeyboardInterrupt):
        fit(model(), sides(), schedule, seed=3, keep=keep, on_epoch=stop)
    assert fit(model(), sides(), schedule, seed=3, keep=keep) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["last.safetensors"]


def test_what_does_not_fit_is_computed_anew() -> None:
    _, _, ran = taught(Reuse(gigabytes=1e-6))
    slices = sum(side.examples.instances(i) for side in sides() for i in range(6))
    assert sum(ran) > 3.5 * slices


@pytest.mark.parametrize(
    "backbone",
    [
        lambda: SmallCnn(1, channels=(4, 6)),
        lambda: PerMagnification(
            lambda own: SmallCnn(1, channels=(4, 6)), scales=[40], network="small_cnn"
        ),
    ],
    ids=["grid", "of networks"],
)
def test_every_network_that_sleeps_whole_is_kept(backbone: object) -> None:
    stages = (Stage(0, {"head": 1e-2}),)
    losses = []
    for reuse in (None, Reuse()):
        schedule = Schedule(epochs=3, stages=stages, reuse=reuse)
        torch.manual_seed(1)
        losses.append(fit(model(backbone()), sides(), schedule, seed=3))
    for one, other in zip(losses[0].epochs, losses[1].epochs, strict=True):
        assert other.train_loss == pytest.approx(one.train_loss, abs=1e-6)


def test_mixup_and_reuse_exclude_each_other() -> None:
    with pytest.raises(RecipeError, match="mixup"):
        Schedule(epochs=1, reuse=Reuse(), augment=Augment.of({"mixup": 0.2}, CT))


@pytest.mark.parametrize("name", ["resnet10t", "mobilenetv2_100", "efficientnet_lite0"])
def test_parts_in_a_row_give_what_the_network_gives(name: str) -> None:
    backbone = ResNetGrey(2, network=name).eval()
    pixels = torch.randn(3, 2, 64, 64)
    with torch.no_grad():
        batch = Batch(pixels, torch.tensor([0, 3]), ("a",), ("a",))
        whole = backbone.features(batch)
        assert len(backbone.links) > 5
        for link in backbone.links[::4]:
            rest = backbone.features(
                replace(batch, values=backbone.until(pixels, link), after=link)
            )
            torch.testing.assert_close(rest, whole)


def test_networks_around_a_row_go_on_from_its_links() -> None:
    """Maps are kept while the attention over them learns."""

    def build(own: object) -> Backbone:
        return (
            Attended(build, network="x")
            if own == "attended"
            else ResNetGrey(1, network="resnet10t")
        )

    shared = PerMagnification(build, scales=[40, 100], network="attended", shared=True).eval()
    pixels = torch.randn(3, 1, 64, 64)
    batch = Batch(
        pixels, torch.tensor([0, 1, 3]), ("a", "b"), ("a", "b"), torch.tensor([40.0, 40.0, 100.0])
    )
    with torch.no_grad():
        whole = shared(batch).values
        for link in (shared.links[3], shared.links[-1]):
            values = shared.until(pixels, link)
            rest = shared(replace(batch, values=values, after=link)).values
            torch.testing.assert_close(rest, whole)
    made = model(shared)
    for parameter in shared.networks[0].network.parameters():
        parameter.requires_grad_(False)
    assert sleeping(made) == f"backbone.{shared.links[-1]}"


def test_trainings_that_share_a_shelf_compute_a_case_once(tmp_path: Path) -> None:
    contents = {f"{seed}-{i}": f"{seed}-{i}" for seed in (1, 2) for i in range(6)}
    stages, augment = STAGES[:1], Augment.of({"noise": 20.0}, CT)
    losses, often = [], []
    for shelf in (None, *2 * [Shelf(tmp_path, contents, seed=3)]):
        reuse = Reuse(variants=2, shelf=shelf)
        schedule = Schedule(epochs=3, stages=stages, reuse=reuse, augment=augment)
        made, ran = model(), []
        made.backbone.network.conv1.register_forward_hook(lambda *a, to=ran: to.append(1))
        losses.append(fit(made, sides(), schedule, seed=3))
        often.append(len(ran))
    assert losses[0] == losses[1] == losses[2]
    assert often[1] > 2 * 6 + 6 > often[2]


def test_what_lies_on_a_shelf_is_of_one_content(tmp_path: Path) -> None:
    """A case of the same name whose pixels are others is not taken for it."""
    losses = []
    for content in ("before", "after", "before"):
        contents = {f"{seed}-{i}": content for seed in (1, 2) for i in range(6)}
        reuse = Reuse(shelf=Shelf(tmp_path, contents, seed=3))
        seeds = (1, 2) if content == "before" else (3, 4)
        own = tuple(Patients(cases(seed), 1, positive=1, negative=1) for seed in seeds)
        schedule = Schedule(epochs=1, stages=STAGES[:1], reuse=reuse)
        losses.append(fit(model(), own, schedule, seed=3).epochs[0].train_loss)
    assert losses[0] == losses[2] != losses[1]
