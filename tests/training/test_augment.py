"""Pixels are changed instance by instance, within bounds, by the loop's seed, in training only."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toys import TOYS, InMemory
from toys.toy import target
from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT
from wholecase.models import Batch, CaseModel
from wholecase.models.aggregators import MeanPool
from wholecase.models.backbones import Backbone, SmallCnn
from wholecase.models.heads import Binary
from wholecase.training import (
    AUGMENTS,
    Augment,
    Example,
    Keep,
    Schedule,
    Shuffled,
    fit,
)
from wholecase.training.mixing import mixed

PUBLISHED = {"flips": True, "brightness": 0.1, "contrast": [0.8, 1.2]}


def batch(values: torch.Tensor) -> Batch:
    names = tuple(str(i) for i in range(len(values)))
    return Batch(values, torch.arange(len(values) + 1), names, names)


def pixels(count: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, 6, 5, generator=torch.Generator().manual_seed(seed))


def test_flips_make_all_four_images_equally_often() -> None:
    torch.manual_seed(0)
    one = pixels(1)
    flipped = Augment.of({"flips": True})(batch(one.expand(400, -1, -1, -1))).values
    forms = [one, one.flip(3), one.flip(2), one.flip(2, 3)]
    counts = [int((flipped == form).flatten(1).all(1).sum()) for form in forms]
    assert sum(counts) == 400
    # 100 expected of each; 65 and 135 are four standard deviations away
    assert min(counts) > 65
    assert max(counts) < 135


def test_brightness_adds_one_number_to_an_instance() -> None:
    torch.manual_seed(0)
    grey = pixels(300) * 0.5 + 0.25
    added = (Augment.of({"brightness": 0.1})(batch(grey)).values - grey).flatten(1)
    torch.testing.assert_close(added, added[:, :1].expand_as(added))
    assert added.abs().max() <= 0.1 + 1e-6
    assert added[:, 0].min() < -0.08
    assert added[:, 0].max() > 0.08


def test_contrast_stretches_about_the_mean_of_the_instance() -> None:
    torch.manual_seed(0)
    grey = pixels(300) * 0.4 + 0.3
    after = Augment.of({"contrast": [0.8, 1.2]})(batch(grey)).values
    mean = grey.mean((1, 2, 3), keepdim=True)
    factor = ((after - mean) / (grey - mean)).flatten(1).median(1).values
    torch.testing.assert_close(after, mean + factor.view(-1, 1, 1, 1) * (grey - mean))
    assert 0.8 <= factor.min() < 0.83
    assert 1.17 < factor.max() <= 1.2 + 1e-5


@given(st.integers(0, 2**16), st.booleans())
def test_pixels_stay_in_range_whatever_is_drawn(seed: int, as_bytes: bool) -> None:
    torch.manual_seed(seed)
    given_pixels = pixels(4, seed)
    values = (given_pixels * 255).round().to(torch.uint8) if as_bytes else given_pixels.clone()
    kept = values.clone()
    changed = Augment.of(PUBLISHED)(batch(values))
    assert changed.values.dtype == torch.float32
    assert 0 <= changed.values.min() <= changed.values.max() <= 1
    assert torch.equal(values, kept), "what the examples hold is left as it is"


def test_the_order_of_a_recipe_changes_nothing() -> None:
    drawn = []
    for settings in (PUBLISHED, dict(reversed(PUBLISHED.items()))):
        torch.manual_seed(3)
        drawn.append(Augment.of(settings)(batch(pixels(5))).values)
    assert torch.equal(*drawn)


def test_no_flips_are_no_flips() -> None:
    before = pixels(8)
    assert torch.equal(Augment.of({"flips": False})(batch(before)).values, before)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"flip": True}, "no augmentation is called 'flip'; did you mean 'flips'"),
        ({"flips": 0.5}, "flips is true, false or horizontal, not 0.5"),
        ({"moved": 5}, r"moved is \{degrees: 0 to 180, shift: 0 to 0.5 of the side\}, not 5"),
        ({"moved": {"degres": 5}}, "moved is"),
        ({"moved": {"shift": 0.6}}, "moved is"),
        ({"noise": -1}, r"noise is a number in \[0, 1\], not -1"),
        ({"by_class": {"positives": {}}}, r"by_class is \{positive: \{...\}, negative"),
        ({"by_class": {"positive": {"mixup": 1.0}}}, "put mixup beside by_class"),
        ({"by_class": {"positive": {"noise": "x"}}}, "noise is a number"),
        ({"brightness": -0.1}, r"brightness is a number in \[0, 1\], not -0.1"),
        ({"brightness": True}, "brightness is a number"),
        ({"contrast": 1.2}, r"contrast is \[lowest, highest\] factor.*not 1.2"),
        ({"contrast": [1.2, 0.8]}, "contrast is"),
        ({"contrast": ["a", 1]}, "contrast is"),
        ({"mixup": 0}, "mixup is a number above 0, not 0"),
        ({"mixup": True}, "mixup is a number above 0, not True"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        Augment.of(settings)


def test_stored_features_are_refused() -> None:
    with pytest.raises(RecipeError, match="4 axes"):
        Augment.of(PUBLISHED)(batch(torch.zeros(3, 7)))


def hounsfield(count: int = 6) -> torch.Tensor:
    drawn = torch.randn(count, 1, 4, 4, generator=torch.Generator().manual_seed(1))
    return drawn * 1500


def test_numbers_without_bounds_are_not_clamped_and_brightness_is_in_their_unit() -> None:
    torch.manual_seed(0)
    before = hounsfield()
    augment = Augment.of({"brightness": 20.0}, kind=CT)
    added = (augment(batch(before)).values - before).flatten(1)
    torch.testing.assert_close(added, added[:, :1].expand_as(added), atol=1e-3, rtol=0)
    assert 1 < added.abs().max() <= 20 + 1e-3
    assert before.min() < CT.low
    with pytest.raises(RecipeError, match=r"brightness is a number in \[0, 4095\] HU, not 5000"):
        Augment.of({"brightness": 5000}, kind=CT)


@pytest.mark.parametrize("has_scale", [True, False])
def test_mixup_leaves_what_cannot_be_mixed_and_keeps_names(has_scale: bool) -> None:
    values, starts = torch.arange(7.0)[:, None], torch.tensor([0, 1, 4, 7])
    labels = {"label": torch.eye(3), "kind": torch.tensor([[torch.nan] * 2, [1.0, 0], [0, 1.0]])}
    unknown = torch.full((7,), torch.nan) if has_scale else None
    whole = Batch(values, starts, ("a", "b", "c"), ("p", "q", "q"), unknown, targets=labels)
    mix, swapped = Augment.of({"mixup": 0.5}), 0
    for seed in range(20):
        torch.manual_seed(seed)
        told = mix(whole)
        assert (told.cases, told.patients) == (whole.cases, whole.patients)
        assert torch.equal(told.starts, starts)
        assert torch.equal(told.values[:1], values[:1]), "nobody else has one instance"
        assert told.targets["kind"][0].isnan().all()
        share = float(told.targets["label"][1, 1])
        assert 0.5 <= share <= 1
        swapped += share < 1
        torch.testing.assert_close(told.values[1:4], share * values[1:4] + (1 - share) * values[4:])
        torch.testing.assert_close(told.targets["kind"][1], torch.tensor([share, 1 - share]))
    assert swapped > 3


def test_mixup_meets_view_by_view_where_both_have_the_magnification() -> None:
    """By hand, with three quarters: of case a three views of four meet, of case b all."""
    values, starts = torch.arange(8.0)[:, None], torch.tensor([0, 4, 7, 8])
    scale = torch.tensor([40.0, 100, 200, 400, 400, 40, 100, 3.0])
    labels = {"label": torch.tensor([[1.0, 0], [0, 1], [0, 1]])}
    names = ("a", "b", "c")
    whole = Batch(values, starts, names, names, scale, targets=labels)
    told = mixed(whole, torch.tensor([1, 0, 0]), 0.75)
    expected = [0 + 5 / 4, 0.75 + 6 / 4, 2, 9 / 4 + 4 / 4, 3 + 3 / 4, 15 / 4, 18 / 4 + 1 / 4, 7]
    torch.testing.assert_close(told.values[:, 0], torch.tensor(expected))
    own = (1 + 3 * 0.75) / 4
    torch.testing.assert_close(
        told.targets["label"], torch.tensor([[own, 1 - own], [0.25, 0.75], [0.0, 1.0]])
    )
    assert told.scale is scale


def test_mixup_takes_bytes_as_numbers() -> None:
    torch.manual_seed(1)
    values = (pixels(6) * 255).to(torch.uint8)
    mixed = Augment.of({"mixup": 1.0})(batch(values)).values
    assert mixed.dtype == torch.float32
    assert 0 <= mixed.min() <= mixed.max() <= 1
    assert not torch.equal(mixed, values.float() / 255)


def test_horizontal_flips_leave_top_and_bottom() -> None:
    torch.manual_seed(0)
    one = pixels(1)
    flipped = Augment.of({"flips": "horizontal"})(batch(one.expand(100, -1, -1, -1))).values
    counts = [int((flipped == form).flatten(1).all(1).sum()) for form in (one, one.flip(3))]
    assert sum(counts) == 100
    assert min(counts) > 30


def test_moved_pixels_stand_where_a_turn_and_a_shift_put_them() -> None:
    """A disc keeps its distance from the middle under a turn, and its value under both."""
    torch.manual_seed(0)
    held = torch.full((60, 1, 48, 64), -1024.0)  # no square: a turn is one of pixels all the same
    held[:, :, 22:26, 50:54] = 60.0
    y, x = torch.meshgrid(torch.arange(48.0), torch.arange(64.0), indexing="ij")

    def centre(values: torch.Tensor) -> torch.Tensor:
        mass = values[:, 0] + 1024
        return torch.stack([(mass * axis).sum((1, 2)) / mass.sum((1, 2)) for axis in (x, y)], 1)

    middle = torch.tensor([31.5, 23.5])
    turned = Augment.of({"moved": {"degrees": 30}}, CT)(batch(held)).values
    arm = centre(turned) - middle
    torch.testing.assert_close(arm.norm(dim=1), torch.full((60,), 20.0), atol=0.1, rtol=0)
    angles = torch.atan2(arm[:, 1], arm[:, 0]).rad2deg()
    assert angles.abs().max() < 30.5
    assert angles.min() < -20
    assert angles.max() > 20
    shifted = Augment.of({"moved": {"shift": 0.1}}, CT)(batch(held)).values
    way = centre(shifted) - centre(held)
    assert (way.abs().amax(0) <= torch.tensor([6.4, 4.8]) + 0.01).all()
    assert (way.abs().amax(0) > torch.tensor([5.0, 3.5])).all()
    for values in (turned, shifted):
        assert values.min() >= -1024
        assert values.max() <= 60 + 1e-3
        assert (values[:, 0, 24, 0] == -1024).all(), "what comes in from outside is air"


def test_noise_has_a_deviation_of_its_own_in_every_instance() -> None:
    torch.manual_seed(0)
    flat = torch.zeros(50, 1, 32, 32)
    deviations = Augment.of({"noise": 8.0}, CT)(batch(flat)).values.std((1, 2, 3))
    assert deviations.max() <= 8.6
    assert deviations.min() < 1.5
    assert deviations.max() > 6.5


def test_each_class_is_changed_by_its_own_policy_case_by_case() -> None:
    torch.manual_seed(0)
    before, starts = hounsfield(7), torch.tensor([0, 2, 3, 6, 7])
    labels = {"label": torch.eye(2)[[0, 1, 0, 1]]}
    names = ("a", "b", "c", "d")
    whole = Batch(before.to(torch.int16), starts, names, names, targets=labels)
    policies = {"positive": {"brightness": 400}, "negative": {"brightness": 1}}
    changed = Augment.of({"by_class": policies}, CT)(whole)
    moved = (changed.values - whole.values).abs().amax((1, 2, 3))
    positive = torch.tensor([False, False, True, False, False, False, True])
    assert (moved[~positive] <= 1.001).all()
    assert (moved[~positive] > 0).all()
    assert (moved[positive] > 1.5).all()
    alone = Augment.of({"by_class": {"positive": {"brightness": 400}}}, CT)(whole)
    assert torch.equal(alone.values[~positive], whole.values[~positive].float())
    three = Batch(before, starts, names, names, targets={"label": torch.eye(3)[[0, 1, 2, 0]]})
    with pytest.raises(RecipeError, match="there are 3 classes; remove it"):
        Augment.of({"by_class": policies}, CT)(three)


def test_all_changes_of_pixels_are_tried() -> None:
    tried = {*PUBLISHED, "moved", "noise", "by_class", "elastic", "colour", "blur", "erasing"}
    assert {name for name, made in AUGMENTS.items() if made.needs_pixels} == tried


def test_a_stopped_training_draws_on_bit_for_bit(tmp_path) -> None:
    toy = TOYS["pcam-attention"]
    sides = (toy.batches(toy.examples(1, 16), 0), toy.batches(toy.examples(2, 16), 0))
    schedule = Schedule(epochs=4, rate=1e-2, augment=Augment.of(PUBLISHED))

    def train(folder: str, told=None) -> tuple[CaseModel, object]:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            model = toy.model()
        keep = Keep(tmp_path / folder / "last.safetensors", "key")
        return model, fit(model, sides, schedule, seed=4, keep=keep, on_epoch=told)

    def stop(epoch) -> None:
        if epoch.number == 1:
            raise KeyboardInterrupt

    whole, history = train("whole")
    with pytest.raises(KeyboardInterrupt):
        train("stopped", told=stop)
    resumed, again = train("stopped")
    assert again == history
    state = resumed.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in whole.state_dict().items())


class Seen(Backbone):
    """A backbone that keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.net = SmallCnn(3, channels=(2,))
        self.shown: list[tuple[bool, torch.Tensor]] = []

    @property
    def width(self) -> int:
        return self.net.width

    def forward(self, batch):
        self.shown.append((self.training, batch.values.detach()))
        return self.net(batch)


def test_judging_sees_the_pixels_as_they_are() -> None:
    examples = [Example(str(i), str(i), pixels(1, i), targets=target(i % 2)) for i in range(4)]
    backbone = Seen()
    model = CaseModel(backbone=backbone, pool=MeanPool(2), head=Binary(2, 2))
    sides = (Shuffled(InMemory(examples), 0), Shuffled(InMemory(examples), 0))
    fit(model, sides, Schedule(epochs=1, augment=Augment.of(PUBLISHED)), seed=0)
    plain = torch.cat([e.values for e in examples])
    judged = torch.cat([shown for training, shown in backbone.shown if not training])
    learnt = torch.cat([shown for training, shown in backbone.shown if training])
    assert torch.equal(judged, plain)
    assert not any((image == one).all() for image in learnt for one in plain)
