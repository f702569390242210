"""How much of the images an epoch shows, by the numbers of the description."""

from pathlib import Path

import pytest

from wholecase.assemble import check_recipe
from wholecase.cohort import Case, Image
from wholecase.experiment.steps import Shown, shown_in_epoch, sized, steps_told
from wholecase.recipes import read_recipe

RECIPE = read_recipe("breakhis-mmnet")


def case(name: str, images: int, powers: tuple[float | None, ...] = (40, 100, 200, 400)) -> Case:
    drawn = [
        Image(
            Path(f"{power}-{n}.png"),
            "still",
            1,
            magnification=None if power is None else float(power),
        )
        for power in powers
        for n in range(images)
    ]
    return Case(name, name, tuple(drawn))


def test_an_epoch_shows_three_or_four_images_of_each_magnification() -> None:
    assert shown_in_epoch(RECIPE, [case("a", 24)]) == Shown(1, 4, 16, 96)  # a pool of 10
    assert shown_in_epoch(RECIPE, [case("a", 5)]) == Shown(1, 3, 12, 20)  # a pool of 3
    both = shown_in_epoch(RECIPE, [case("a", 24), case("b", 24, (40, 400))])
    assert both == Shown(2, 8, 24, 144)
    assert 0.12 <= both.images / both.of <= 0.17


def test_nothing_is_told_of_what_is_not_known() -> None:
    assert shown_in_epoch(RECIPE, [case("a", 3, (40, None))]) is None
    assert shown_in_epoch(read_recipe("egfr-clam"), [case("a", 3)]) is None
    assert steps_told(read_recipe("egfr-clam"), "cpu", None) == ""


def test_the_size_of_a_step_has_its_reason() -> None:
    told = steps_told(RECIPE, "cpu", Shown(10, 40, 160, 960))
    assert told.startswith("steps of up to 16 sets of views (batches.cases, the recipe's on every")
    assert "batches.cases=4 suits cpu better" in told
    assert "batches.cases=8 suits mps better" in steps_told(RECIPE, "mps", None)
    assert told.endswith("shows 160 of 960 images (17 %) of 10 cases, in 40 sets: 3 steps or more")
    assert "suits" not in steps_told(RECIPE, "cuda:1", None)
    smaller = read_recipe("breakhis-mmnet", ["batches.cases=4"])
    assert "suits" not in steps_told(smaller, "cpu", None)


@pytest.mark.parametrize(
    ("device", "patients", "cases"),
    [("cuda:0", 40, 16), ("mps", 40, 8), ("cpu", 40, 4), ("cuda", 20, 8), ("cpu", 3, 1)],
)
def test_auto_follows_the_device_and_how_much_there_is_to_show(
    device: str, patients: int, cases: int, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = read_recipe("breakhis-mmnet", ["batches.cases=auto"])
    taught = [case(f"{number}", 5) for number in range(patients)]  # 3 sets of each
    run = sized(recipe, device, taught)
    assert run == read_recipe("breakhis-mmnet", [f"batches.cases={cases}"])
    told = capsys.readouterr().err
    assert f"batches.cases=auto is {cases}: " in told
    assert ("shall have 8 steps" in told) == (patients < 40)
    assert sized(RECIPE, device, taught) == RECIPE


def test_auto_passes_the_check() -> None:
    small = "model.backbone.network={name: small_cnn, channels: [4]}"
    check_recipe(read_recipe("breakhis-mmnet", [small, "batches.cases=auto"]), weights=False)
