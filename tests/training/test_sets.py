"""Judging by sets: an instance goes through the network once, and the answer is the same."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from torch import nn

from toys import InMemory
from toys.toy import target
from wholecase.core.kinds import RGB
from wholecase.models import LIGHT, Backbone, Batch, CaseModel, Input, Mapped, predict
from wholecase.models.aggregators import CrossMagnification, MeanPool
from wholecase.models.backbones import ResNetGrey, SmallCnn, TimmNetwork
from wholecase.models.heads import Binary
from wholecase.models.inputs import Window
from wholecase.training import (
    Adaptive,
    Drawn,
    Example,
    Mirrored,
    Schedule,
    Shuffled,
    Views,
    past,
    sets,
    watch,
)

SIZES = (7, 1, 12, 5)
"""Images of each case, of two magnifications."""


class OfCompany(nn.Module):
    """As a network whose BatchNorm keeps no statistics: an instance depends on who is with it."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3, track_running_stats=False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.norm(values).flatten(1)[:, :4]


def cnn() -> Backbone:
    return SmallCnn(3, channels=(4, 6))


def resnet() -> Backbone:
    return ResNetGrey(3, network="resnet10t")


def of_company() -> Backbone:
    made = TimmNetwork(3, network="resnet10t")
    made.network = OfCompany()
    made.network.num_features = 4
    return made


def model_of(make: Callable[[], Backbone], seen: Input = LIGHT) -> CaseModel:
    torch.manual_seed(0)
    network = make()
    pool = MeanPool(network.width)
    if not isinstance(network, SmallCnn):
        pool = CrossMagnification(network.width, scales=[40, 100], inner=8, heads=2)
    head = Binary(pool.embedding_width, 2)
    return CaseModel(pool=pool, head=head, backbone=network, input=seen).eval()


def cases(channels: int = 3) -> list[Example]:
    rng = np.random.default_rng(0)
    made = []
    for number, size in enumerate(SIZES):
        pixels = rng.integers(0, 255, (size, channels, 32, 32), dtype=np.uint8)
        scale = torch.tensor(np.where(np.arange(size) < size // 2, 40, 100), dtype=torch.float32)
        image, label = torch.arange(size), target(number % 2)
        name = f"c{number}"
        made.append(Example(name, name, torch.from_numpy(pixels), scale, None, label, image=image))
    return made


def through(network: nn.Module) -> list[int]:
    """Instances of each call of the network's first convolution or norm, filled as they come."""
    seen: list[int] = []
    kinds = nn.Conv2d, nn.BatchNorm2d
    first = next(part for part in network.modules() if isinstance(part, kinds))
    first.register_forward_pre_hook(lambda _m, given: seen.append(len(given[0])))
    return seen


VIEWS = {
    "adaptive": Adaptive(1, sets=8),
    "of two": Drawn(1, instances=2, sets=2),
    "drawn": Drawn(1, instances=3, sets=6),
    "flips": Mirrored(1),
    "flips of drawn": Mirrored(1, of={"name": "drawn", "instances": 3, "sets": 5}),
}


def naive(model: CaseModel, views: Views) -> tuple[np.ndarray, float]:
    """Set by set, each alone and from its pixels: probabilities, and the loss over all of them."""
    batches = [b for e in cases() for b in Shuffled(InMemory([e]), 0, views).judged()]
    with torch.no_grad():
        loss = float(np.mean([float(model.loss(batch)) for batch in batches]))
    return predict(model, batches), loss


@pytest.mark.parametrize(
    ("make", "views"),
    [
        *((cnn, name) for name in ("adaptive", "drawn", "flips", "flips of drawn")),
        (resnet, "of two"),
    ],
)
def test_inner_cases_are_judged_as_set_by_set_and_seen_once(
    make: Callable[[], Backbone], views: str
) -> None:
    model, views = model_of(make), VIEWS[views]
    rows, loss = naive(model, views)
    seen = through(model.backbone)
    batches = Shuffled(InMemory(cases()), 0, views, instances=20)
    said = watch.judge(model, batches, Schedule(epochs=1))
    shown = sum(len(torch.cat([*views.kept(e)]).unique()) for e in cases())
    assert sum(seen) == shown * len(views.mirrors)
    assert said.loss == pytest.approx(loss, abs=1e-6)
    assert said.p_positive == pytest.approx(rows[[1, 3], 1].mean(), abs=1e-6)
    assert said.p_negative == pytest.approx(rows[[0, 2], 1].mean(), abs=1e-6)


def test_where_company_counts_every_set_is_seen_by_itself() -> None:
    model = model_of(of_company)
    seen = through(model.backbone)
    views = Adaptive(1, sets=3)
    asked = [shown for case in cases() for shown in Shuffled(InMemory([case]), 0, views).asked()]
    for shown in asked:
        assert isinstance(shown, sets.Sets)
        assert shown.past(model).cases[0].after == ""
        assert not seen
    together = Shuffled(InMemory(cases()[:1]), 0, views)
    rows = predict(model, together.judged())
    said = watch.judge(model, together, Schedule(epochs=1))
    assert said.p_negative == pytest.approx(rows[0, 1], abs=1e-12)


def test_slices_that_see_their_neighbours_are_seen_set_by_set() -> None:
    """What lies beside a slice differs from set to set, unless all of a case is shown."""
    model = model_of(
        lambda: SmallCnn(9, channels=(4, 6)), Window(RGB, centre=0.5, width=1.0, beside=1)
    )
    for views, once in ((Drawn(1, instances=3, sets=4), False), (Mirrored(1), True)):
        seen = through(model.backbone)
        rows, _ = naive(model, views)
        before = sum(seen)
        said = watch.judge(model, Shuffled(InMemory(cases()), 0, views), Schedule(epochs=1))
        assert said.p_positive == pytest.approx(rows[[1, 3], 1].mean(), abs=1e-6)
        assert (sum(seen) - before == sum(SIZES) * len(views.mirrors)) == once


@pytest.mark.parametrize("maps", [False, True])
def test_a_large_case_goes_through_in_parts(*, maps: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    model = model_of(cnn)
    (case,) = cases()[2:3]
    whole = past(model, case, maps=maps)
    seen = through(model.backbone)
    monkeypatch.setattr(sets, "NUMBERS", 5 * 3 * 32 * 32)
    parts = past(model, case, maps=maps)
    assert seen == [5, 5, 2]
    torch.testing.assert_close(parts.values, whole.values, rtol=1e-5, atol=1e-6)
    assert parts.after == whole.after != ""
    assert isinstance(model.backbone, Mapped)
    assert (parts.values.shape[2] == 16) == maps, "maps are twice as fine as the grid of vectors"


def test_where_no_instance_comes_twice_nothing_is_kept() -> None:
    (case,) = cases()[:1]
    assert not sets.shown_in(Mirrored(1), case).repeats
    assert not sets.shown_in(Drawn(1, instances=4, sets=1), case).repeats
    assert sets.shown_in(Drawn(1, instances=4, sets=2), case).repeats


def test_small_cases_go_through_together() -> None:
    model = model_of(cnn)
    seen = through(model.backbone)
    (first, _) = Shuffled(InMemory(cases()), 0, Mirrored(1, vertical=False)).asked()
    assert isinstance(first, sets.Sets)
    first.past(model)
    assert seen == [sum(SIZES)]


def test_stored_vectors_stay_as_they_are() -> None:
    torch.manual_seed(0)
    model = CaseModel(pool=MeanPool(4), head=Binary(4, 2))
    case = Example("a", "a", torch.rand(6, 4))
    shown = sets.shown_in(Drawn(1, instances=2, sets=3), case)
    assert shown.past(model).cases == shown.cases
    assert past(model, case) is case


def test_dropout_of_the_head_draws_as_before() -> None:
    """What is dropped goes by the number of the batch, of which there are as many."""
    torch.manual_seed(0)
    head = Binary(6, 2, hidden=[8], dropout=0.5)
    model = CaseModel(pool=MeanPool(6), head=head, backbone=cnn()).eval()
    schedule = Schedule(epochs=1, validation_dropout=0.5)
    once, naive = (
        watch.judge(model, make(InMemory(cases()), 0, VIEWS["drawn"]), schedule, seed=4)
        for make in (Shuffled, FromPixels)
    )
    assert once.loss == pytest.approx(naive.loss, abs=1e-6)
    assert once.p_positive == pytest.approx(naive.p_positive, abs=1e-6)


class FromPixels(Shuffled):
    """Each set goes through the network."""

    def asked(self) -> Iterator[Batch]:
        for shown in Shuffled.asked(self):
            yield from shown.batches()
