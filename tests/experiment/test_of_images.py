"""Images that are judged alone, counted by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wholecase.answer import Judgement, images_alone
from wholecase.cohort import Case, Image
from wholecase.experiment.of_images import image_notes, of_images
from wholecase.explain import Evidence
from wholecase.recipes import read_recipe
from wholecase.training import Choices

RECIPE = read_recipe("breakhis-mmnet", ["evaluate.bootstrap=100"])
CHOICES = Choices(1.0, 0.4)


def case(name: str, powers: tuple[int, ...], target: int | None = 1, patient: str = "") -> Case:
    images = tuple(
        Image(Path(f"{name}-{n}.png"), "still", n, magnification=float(power))
        for n, power in enumerate(powers)
    )
    return Case(name, patient or name, images, target=target)


def evidence(alone: list[float]) -> Evidence:
    count, positive = len(alone), np.array(alone)
    return Evidence(
        weights=np.full((count, 1), 1 / count),
        scores=np.zeros((count, 1)),
        image=np.arange(count),
        box_px=np.tile([0, 0, 8, 8], (count, 1)),
        position_um=np.zeros((count, 3), np.float32),
        logits=np.zeros((count, 0)),
        alone=np.stack([1 - positive, positive], 1),
    )


def judged(one: Case, alone: list[float]) -> Judgement:
    rows = np.array([0.5, 0.5])
    told = Judgement(one, ("benign", "malignant"), 0, rows, rows, 1)
    return replace(told, images=images_alone(one, evidence(alone), CHOICES))


def test_each_image_is_decided_at_the_threshold_of_the_cases() -> None:
    one = case("a", (40, 40, 100))
    told = images_alone(one, evidence([0.41, 0.39, np.nan]), CHOICES)
    assert {n: alone.decision for n, alone in told.items()} == {0: 1, 1: 0}, "2 was never shown"
    assert told[1].probabilities.tolist() == pytest.approx([0.61, 0.39])
    assert images_alone(replace(one, target=None), evidence([0.5] * 3), CHOICES) is None
    assert images_alone(case("b", (40,)), evidence([0.5]), CHOICES) is None, "one image"
    cut = replace(one, images=tuple(replace(image, kind="tile") for image in one.images))
    assert images_alone(cut, evidence([0.5] * 3), CHOICES) is None, "tiles are parts of a picture"
    tiles = replace(evidence([0.5] * 3), image=np.array([0, 0, 1]))
    assert images_alone(one, tiles, CHOICES) is None, "an image of two tiles"
    assert images_alone(one, replace(evidence([0.5] * 3), alone=None), CHOICES) is None


def test_a_patient_counts_once_however_many_images() -> None:
    said = [
        judged(case("a", (40, 40, 40, 100)), [0.9, 0.9, 0.9, 0.1]),  # 3 of 4
        judged(case("b", (40, 100)), [0.1, 0.1]),  # 0 of 2
        judged(case("c1", (40, 100), patient="c"), [0.9, 0.9]),  # 2 of 2, and with the next 2 of 4
        judged(case("c2", (40, 100), target=0, patient="c"), [0.9, 0.9]),
    ]
    told = of_images(said, RECIPE)
    assert list(told) == ["all", "40", "100"]
    assert told["all"]["recognition_rate"]["value"] == pytest.approx((0.75 + 0 + 0.5) / 3)
    assert told["all"]["image_accuracy"]["value"] == pytest.approx(5 / 10)
    assert told["all"]["recognition_rate"]["n"] == 3
    assert told["40"]["recognition_rate"]["value"] == pytest.approx((1 + 0 + 0.5) / 3)
    assert told["40"]["images"] == 6
    areas = told["all"]["metrics"]
    assert set(areas) == {"auroc", "balanced_accuracy", "sensitivity", "specificity", "f1"}
    assert areas["auroc"]["value"] == pytest.approx((3 * 0 + 5 * 0.5) / 8), "ties count half"
    assert areas["sensitivity"]["value"] == pytest.approx(5 / 8)
    assert areas["specificity"]["value"] == 0
    assert areas["auroc"]["n"] == 3, "patients"
    low, high = (told["all"]["recognition_rate"][end] for end in ("low", "high"))
    assert 0 <= low < 0.42 < high <= 1
    (note,) = image_notes(told)
    assert "Of 10 images judged alone" in note


def test_cases_of_one_image_have_no_such_rates() -> None:
    assert of_images([judged(case("a", (40,)), [0.9])], RECIPE) == {}
    assert image_notes({}) == []
