"""Bends, dyes, blurs and covers against plain loops, pixel by pixel."""

import math

import pytest
import torch

from wholecase.core.errors import RecipeError
from wholecase.core.kinds import CT
from wholecase.models import Batch
from wholecase.training import Augment
from wholecase.training.deforming import LUMA, bent, blurred, dyed, erased


def pixels(count: int = 2, side: tuple[int, int] = (9, 7), seed: int = 0) -> torch.Tensor:
    return torch.rand(count, 3, *side, generator=torch.Generator().manual_seed(seed))


def batch(values: torch.Tensor) -> Batch:
    names = tuple(str(i) for i in range(len(values)))
    return Batch(values, torch.arange(len(values) + 1), names, names)


def changed(setting: dict[str, object], values: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    return Augment.of(setting)(batch(values)).values


def cubic(row: list[float], place: float) -> float:
    """Interpolation between knots by Keys 1981 with -0.75, borders repeated."""
    base, total = math.floor(place), 0.0
    for i in range(base - 1, base + 3):
        d = abs(place - i)
        w = 1.25 * d**3 - 2.25 * d**2 + 1 if d <= 1 else -0.75 * (d**3 - 5 * d**2 + 8 * d - 4)
        total += w * row[min(max(i, 0), len(row) - 1)]
    return total


def mirrored(place: float, side: int) -> float:
    """A place beyond the border, thrown back at its edge."""
    place = abs(place + 0.5) % (2 * side)
    return min(max(min(place, 2 * side - place) - 0.5, 0.0), side - 1.0)


def read(image: list[list[float]], y: float, x: float) -> float:
    """Between four pixels."""
    rows, columns = len(image), len(image[0])
    top, left = min(math.floor(y), rows - 1), min(math.floor(x), columns - 1)
    below, right = min(top + 1, rows - 1), min(left + 1, columns - 1)
    v, u = y - top, x - left
    upper = image[top][left] * (1 - u) + image[top][right] * u
    lower = image[below][left] * (1 - u) + image[below][right] * u
    return upper * (1 - v) + lower * v


def test_a_bend_is_one_read_of_every_pixel() -> None:
    image = pixels(1)
    knots = (torch.rand(1, 2, 4, 4, generator=torch.Generator().manual_seed(1)) - 0.5) * 0.5
    told = bent(image, knots)
    height, width = 9, 7
    field = knots[0].tolist()
    for y in range(height):
        for x in range(width):
            ky, kx = y * 3 / (height - 1), x * 3 / (width - 1)
            dx, dy = (cubic([cubic(row, kx) for row in part], ky) for part in field)
            there = mirrored(y + dy * height, height), mirrored(x + dx * width, width)
            expected = [read(image[0, c].tolist(), *there) for c in range(3)]
            torch.testing.assert_close(told[0, :, y, x], torch.tensor(expected), atol=2e-5, rtol=0)


def test_elastic_bends_each_instance_by_itself_and_no_further() -> None:
    """A ramp shows how far each pixel came."""
    ramp = torch.linspace(0.2, 0.8, 40).expand(30, 3, 40, 40)
    far = (changed({"elastic": {"shift": 0.05, "cells": 4}}, ramp) - ramp) / 0.6
    assert far.abs().max() <= 0.05 * 1.3, "between knots a cubic overshoots a little"
    assert far.abs().amax((1, 2, 3)).min() > 0.01
    assert (far[0] - far[1]).abs().max() > 0.02
    torch.testing.assert_close(changed({"elastic": {"shift": 0.0}}, ramp), ramp.clone())


def test_dyes_turn_two_colours_and_leave_luminance() -> None:
    values = pixels(2, (2, 3))
    factor, turn = torch.tensor([0.5, 1.3]), torch.tensor([0.4, -1.1])
    told = dyed(values, factor, turn)
    luma = torch.tensor(LUMA, dtype=torch.float64)
    for t in range(2):
        for y in range(2):
            for x in range(3):
                light, i, q = (luma @ values[t, :, y, x].double()).tolist()
                f, a = float(factor[t]), float(turn[t])
                cos, sin = f * math.cos(a), f * math.sin(a)
                turned = [light, cos * i - sin * q, sin * i + cos * q]
                expected = torch.linalg.solve(luma, torch.tensor(turned).double())
                torch.testing.assert_close(told[t, :, y, x], expected.float(), atol=1e-5, rtol=0)


def test_colour_is_one_turn_for_an_instance_and_grey_stays_grey() -> None:
    grey = torch.full((40, 3, 2, 2), 0.5)
    settings = {"colour": {"saturation": 0.3, "hue": 0.1}}
    torch.testing.assert_close(changed(settings, grey), grey, atol=1e-4, rtol=0)
    dyes = torch.tensor([0.6, 0.4, 0.5]).view(1, 3, 1, 1).expand(40, 3, 2, 2)
    told = changed(settings, dyes)
    assert told.std((2, 3)).max() < 1e-6
    strength = (told[..., 0, 0] - told[..., 0, 0].mean(1, keepdim=True)).norm(dim=1)
    assert strength.min() < 0.12
    assert strength.max() > 0.16


def test_a_blur_is_a_weighed_mean_of_neighbours() -> None:
    values, deviation = pixels(2, (6, 5)), torch.tensor([0.6, 1.4])
    told = blurred(values, deviation)
    reach = math.ceil(3 * 1.4)
    for t, sigma in enumerate(deviation.tolist()):
        weight = [math.exp(-0.5 * (d / sigma) ** 2) for d in range(-reach, reach + 1)]
        total = sum(weight)
        for y in range(6):
            for x in range(5):
                mean = torch.zeros(3)
                for i, v in enumerate(weight):
                    for j, u in enumerate(weight):
                        row = min(max(y + i - reach, 0), 5)
                        column = min(max(x + j - reach, 0), 4)
                        mean += v * u / total**2 * values[t, :, row, column]
                torch.testing.assert_close(told[t, :, y, x], mean, atol=1e-5, rtol=0)


def test_blur_is_drawn_up_to_its_bound() -> None:
    points = torch.zeros(200, 3, 15, 15)
    points[:, :, 7, 7] = 1
    peaks = changed({"blur": 1.5}, points)[:, 0, 7, 7]
    assert peaks.max() > 0.95
    assert 0.06 < peaks.min() < 0.09, "1 / (2 pi 1.5^2) is 0.07"
    assert torch.equal(changed({"blur": 0}, points), points)


def test_what_is_covered_has_the_mean_colour() -> None:
    values = pixels(3, (8, 10))
    boxes = torch.tensor([[0.2, 0.25, 0.3, 0.5], [0.0, 0.0, 0.0, 0.0], [0.71, 0.9, 0.29, 0.1]])
    told = erased(values, boxes)
    for t, (left, top, wide, high) in enumerate(boxes.tolist()):
        for y in range(8):
            for x in range(10):
                within = left <= (x + 0.5) / 10 < left + wide and top <= (y + 0.5) / 8 < top + high
                expected = values[t].mean((1, 2)) if within else values[t, :, y, x]
                torch.testing.assert_close(told[t, :, y, x], expected)


def test_erasing_covers_as_much_and_as_often_as_is_said() -> None:
    noisy = pixels(400, (40, 40))
    covered = (changed({"erasing": {"chance": 0.25, "largest": 0.3}}, noisy) != noisy).all(1)
    share = covered.flatten(1).float().mean(1)
    assert 70 < int((share > 0).sum()) < 130
    assert share.max() < 0.32
    assert 0.01 < share[share > 0].min() < 0.05
    every = changed({"erasing": {"chance": 1, "largest": 0.1}}, noisy)
    assert bool((every != noisy).flatten(1).any(1).all())


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"elastic": 0.1}, r"elastic is \{shift: 0 to 0.2 of the side, cells: 2 to 64\}, not 0.1"),
        ({"elastic": {"shift": 0.5}}, "elastic is"),
        ({"elastic": {"cells": 2.5}}, "elastic is"),
        ({"colour": {"saturation": 2}}, r"colour is \{saturation: 0 to 1, hue: 0 to 0.5 of a turn"),
        ({"colour": {"tint": 0.1}}, "colour is"),
        ({"blur": -1}, r"blur is a number of pixels in \[0, 20\], not -1"),
        ({"erasing": {"chance": 2}}, "erasing is"),
        ({"erasing": {"largest": 0.0}}, "erasing is"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, object], told: str) -> None:
    with pytest.raises(RecipeError, match=told):
        Augment.of(settings)


def test_hounsfield_units_have_no_colour() -> None:
    with pytest.raises(RecipeError, match="pixels of the kind 'ct' have none; remove it"):
        Augment.of({"colour": {"hue": 0.1}}, CT)
