"""Samples of a kind become what a network gets, by name."""

import math

import numpy as np
import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT, GREY, KINDS, RGB, PixelKind
from wholecase.models import INPUTS, Batch, CaseModel, as_float
from wholecase.models.aggregators import MeanPool
from wholecase.models.backbones import SmallCnn
from wholecase.models.heads import Binary
from wholecase.models.inputs import ImageNet, Input, Unit, Window, Zscore

MEMBERS = {
    "unit": Unit,
    "window": lambda kind: Window(kind, centre=40, width=80, zscore="slice"),
    "zscore": Zscore,
    "imagenet": ImageNet,
}
TAKEN = [
    (name, kind)
    for name in MEMBERS
    for kind in KINDS.values()
    if name != "imagenet" or not kind.unit
]


def samples(kind: PixelKind, count: int, side: int = 6) -> torch.Tensor:
    rng = np.random.default_rng(0)
    low, high = (round(number * kind.divisor) for number in (kind.low, kind.high))
    drawn = rng.integers(low, high, (count, kind.channels, side, side), endpoint=True)
    return torch.from_numpy(drawn.astype(kind.dtype))


def test_all_of_the_table_are_held_to_the_contract() -> None:
    assert set(MEMBERS) == set(INPUTS)


@pytest.mark.parametrize(("name", "kind"), TAKEN)
def test_samples_and_numbers_of_the_kind_are_the_same_input(name: str, kind: PixelKind) -> None:
    member: Input = MEMBERS[name](kind)
    given = samples(kind, 3)
    seen = member(given)
    assert seen.dtype == torch.float32
    assert seen.shape == (3, member.channels, 6, 6)
    assert torch.isfinite(seen).all()
    assert torch.equal(seen, member(torch.from_numpy(kind.numbers(given.numpy()))))
    for instance in range(3):
        torch.testing.assert_close(member(given[instance : instance + 1])[0], seen[instance])


@pytest.mark.parametrize(("name", "kind"), TAKEN)
def test_an_empty_image_stays_finite(name: str, kind: PixelKind) -> None:
    flat = torch.full((1, kind.channels, 4, 4), kind.outside, dtype=getattr(torch, kind.dtype))
    assert torch.isfinite(MEMBERS[name](kind)(flat)).all()


def test_light_is_what_it_always_was_to_the_last_bit() -> None:
    every = torch.arange(256, dtype=torch.uint8).repeat(3).view(1, 3, 16, 16)
    assert torch.equal(Unit(RGB)(every), every.float() / 255)
    floats = torch.rand(2, 3, 4, 4)
    assert Unit(RGB)(floats) is floats


def test_hounsfield_units_of_a_brain_window() -> None:
    given = torch.tensor([-1024, 0, 20, 40, 80, 3071], dtype=torch.int16).view(1, 1, 2, 3)
    seen = Window(CT, centre=40, width=80)(given).flatten()
    assert seen.tolist() == [0, 0, 0.25, 0.5, 1, 1]
    beyond = torch.tensor([-2000, 5000], dtype=torch.int16).view(1, 1, 1, 2)
    assert Unit(CT)(beyond).flatten().tolist() == [0, 1], "what is beyond the usual is clamped"


@pytest.mark.parametrize("zscore", ["none", "slice"])
def test_several_windows_are_channels_each_as_if_it_were_alone(zscore: str) -> None:
    windows = [[40, 80], [80, 200], [40, 380]]
    given = samples(CT, 3)
    member = Window(CT, windows=windows, zscore=zscore)
    alone = [Window(CT, centre=c, width=w, zscore=zscore)(given) for c, w in windows]
    assert member.channels == 3
    assert torch.equal(member(given), torch.cat(alone, 1))


@pytest.mark.parametrize("kind", KINDS.values())
def test_standardised_has_mean_zero_and_deviation_one(kind: PixelKind) -> None:
    seen = Zscore(kind)(samples(kind, 3, 24))
    torch.testing.assert_close(seen.mean((1, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(seen.std((1, 2, 3), correction=0), torch.ones(3))


def test_noise_in_an_empty_slice_is_not_blown_up() -> None:
    given = torch.full((1, 1, 16, 16), -1000, dtype=torch.int16)
    given[0, 0, 0, 0] = 2  # of 80: a fortieth of the window, in one of 256 pixels
    seen = Window(CT, centre=40, width=80, zscore="slice")(given)
    assert float(seen.max()) <= 0.025 / 0.05
    assert float(Window(CT, centre=40, width=80, zscore="slice", floor=1e-6)(given).max()) > 10


def test_grey_is_given_to_networks_of_imagenet_as_three_channels() -> None:
    given = samples(GREY, 1)
    seen = ImageNet(GREY)(given)
    red, green, blue = (
        seen[0, c] * s + m
        for c, (m, s) in enumerate([(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)])
    )
    torch.testing.assert_close(red, green)
    torch.testing.assert_close(blue, given[0, 0].float() / 65535)
    with pytest.raises(RecipeError, match=r"for light, in colour or grey, .* 'ct' are HU"):
        ImageNet(CT)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Window(CT, centre=40, width=0), "finite centre and a positive width"),
        (lambda: Window(CT, centre=math.nan, width=80), "finite centre"),
        (lambda: Window(CT), "takes a centre and a width, or `windows`"),
        (lambda: Window(CT, centre=40, width=80, windows=[[40, 80]]), "takes a centre and a width"),
        (lambda: Window(CT, centre=40), "finite centre and a positive width, not 40 and None"),
        (lambda: Window(CT, windows=[[40, 80], [80, -200]]), "positive width, not 80 and -200"),
        (lambda: Window(CT, windows=[[40, 80, 3]]), "positive width, not 40 and 80 and 3"),
        (lambda: Window(CT, centre=40, width=80, floor=0), "floor is a positive number, not 0"),
        (lambda: Zscore(CT, floor=-1), "floor is a positive number"),
        (lambda: Unit(CT)(samples(RGB, 1)), "of the kind 'ct' are int16, not uint8"),
        (lambda: Unit(CT)(torch.zeros(1, 3, 2, 2)), "'ct' have 1 channels, not 3"),
        (lambda: as_float(torch.zeros(5, 1024)), "pixels have 4 axes"),
    ],
)
def test_what_cannot_be_is_named(make, told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        make()


def test_the_network_gets_what_the_input_gives() -> None:
    torch.manual_seed(0)
    network = SmallCnn(1, channels=(2,))
    parts = {"backbone": network, "pool": MeanPool(2), "head": Binary(2, 2)}
    seen = Window(CT, centre=40, width=80)
    model = CaseModel(**parts, input=seen).eval()
    starts, names = torch.tensor([0, 2]), ("a",)
    given = samples(CT, 2, 8)
    ready = CaseModel(**parts, input=Unit(GREY)).eval()
    with torch.no_grad():
        answer = model(Batch(given, starts, names, names))
        expected = ready(Batch(seen(given), starts, names, names))
    assert torch.equal(answer.logits, expected.logits)
    assert list(model.state_dict()) == list(ready.state_dict()), "an input keeps no state"
