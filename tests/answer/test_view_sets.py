"""A case judged by sets of its views: their mean is the answer, their spread a part of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from toys import InMemory
from wholecase.answer import FoldModel, Vote
from wholecase.answer.bags import CaseBag, Reading, example_of
from wholecase.assemble import model_of, views_of
from wholecase.cohort import Case
from wholecase.core.errors import RecipeError
from wholecase.experiment import write_predictions
from wholecase.explain import grad_cam
from wholecase.models import predict
from wholecase.recipes import Recipe
from wholecase.runs import read_rows
from wholecase.training import Choices, Shuffled, mirrored, pack

CONTENT = {
    "recipe": "sets",
    "cohort": {"positive": ["p"], "negative": ["n"]},
    "cut": "whole",
    "model": {
        "aggregator": {"name": "cross_magnification", "scales": [40, 100], "inner": 8},
        "head": "binary",
    },
}
CHOICES = Choices(2.0, 0.5)


def member(views: object, seed: int = 0) -> FoldModel:
    recipe = Recipe.model_validate({**CONTENT, "views": views})
    return FoldModel(seed, recipe, model_of(recipe, 4, 2, seed).eval(), CHOICES)


@pytest.fixture
def reading() -> Reading:
    """Five views at 40 and one at 100."""
    rng = np.random.default_rng(0)
    bag = CaseBag(
        values=3 * rng.normal(size=(6, 4)).astype(np.float32),
        scale=np.array([40, 40, 40, 40, 40, 100], np.float32),
        position_um=np.full((6, 3), np.nan, np.float32),
        box_px=np.tile(np.array([0, 0, 9, 9], np.int64), (6, 1)),
        image=np.arange(6),
    )
    case = Case("a", "a", ())
    return Reading(case, bag, example_of(case, bag))


def test_the_answer_is_the_mean_over_the_sets_and_tells_their_deviation(reading: Reading) -> None:
    judge = member({"name": "adaptive", "sets": 16})
    said = judge.judge(reading, full=False)
    views = views_of(judge.recipe)
    assert views is not None
    kept = views.kept(reading.example)
    assert len(kept) == 16
    assert all(rows.tolist()[-1] == 5 and len(rows) == 2 for rows in kept)
    rows = np.concatenate([predict(judge.model, [pack([reading.example.only(r)])]) for r in kept])
    np.testing.assert_allclose(said.raw, rows.mean(0), atol=1e-6)
    logits = np.log(rows[:, 1] / rows[:, 0]) / 2  # the temperature
    each = 1 / (1 + np.exp(-logits if said.decision else logits))
    assert each.std() > 0.005
    assert said.view_spread == pytest.approx(each.std(), abs=1e-6)


def test_a_case_judged_whole_has_no_such_spread(reading: Reading, tmp_path: Path) -> None:
    whole = member(None).judge(reading, full=False)
    assert whole.view_spread is None
    write_predictions(tmp_path / "whole.csv", [whole], ("n", "p"))
    assert "view_spread" not in read_rows(tmp_path / "whole.csv")[0]


PIXELS = {
    **CONTENT,
    "model": {
        "backbone": {"name": "small_cnn", "channels": [4, 8]},
        "aggregator": "self_attention",
        "head": "binary",
    },
}


def looked_at(views: object) -> FoldModel:
    recipe = Recipe.model_validate({**PIXELS, "views": views})
    return FoldModel(0, recipe, model_of(recipe, 3, 2, 0).eval(), CHOICES)


def test_pictures_are_judged_from_four_sides_and_maps_are_turned_back() -> None:
    rng = np.random.default_rng(0)
    bag = CaseBag(
        values=rng.integers(0, 255, (1, 32, 32, 3), np.uint8),
        scale=np.full(1, np.nan, np.float32),
        position_um=np.full((1, 3), np.nan, np.float32),
        box_px=np.array([[0, 0, 32, 32]], np.int64),
        image=np.zeros(1, np.int64),
    )
    case = Case("a", "a", ())
    reading = Reading(case, bag, example_of(case, bag))
    whole, flips = looked_at(None), looked_at("flips")
    ways = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
    turned = [
        whole.judge(Reading(case, bag, mirrored(reading.example, axes)), full=True)
        for axes in ((), (3,), (2,), (2, 3))
    ]
    said = flips.judge(reading, full=True)
    rows = np.stack([one.raw for one in turned])
    np.testing.assert_allclose(said.raw, rows.mean(0), atol=1e-6)
    assert np.ptp(rows[:, 1]) > 1e-4, "the sides differ"
    each = CHOICES.calibrated(rows)[:, said.decision]
    assert said.view_spread == pytest.approx(each.std(), abs=1e-6)
    maps = [one.evidence.maps["attention"] for one in turned]
    back = [m[:, ::v, ::h] for m, (v, h) in zip(maps, ways, strict=True)]
    np.testing.assert_allclose(said.evidence.maps["attention"], np.mean(back, 0), atol=1e-6)
    assert not np.allclose(back[0], back[3], atol=1e-4)
    # the same while learning judges its inner patients
    learn = InMemory([reading.example])
    batches = Shuffled(learn, 0, views_of(flips.recipe)).judged()
    np.testing.assert_allclose(predict(flips.model, batches)[0], said.raw, atol=1e-6)


@pytest.mark.parametrize("shared", [True, False])
def test_each_image_goes_through_the_network_once_however_often_it_is_asked_about(
    *, shared: bool
) -> None:
    """Answer, spread, what images say alone and Grad-CAM are those of asking with pixels."""
    network = {"name": "attended", "network": {"name": "small_cnn", "channels": [4, 8]}}
    backbone = {"name": "per_magnification", "scales": [40, 100], "network": network}
    model = {**CONTENT["model"], "backbone": {**backbone, "shared": shared}}
    recipe = Recipe.model_validate({**CONTENT, "model": model, "views": "adaptive"})
    judge = FoldModel(0, recipe, model_of(recipe, 3, 2, 0).eval(), CHOICES)
    rng = np.random.default_rng(0)
    count = 9
    bag = CaseBag(
        values=rng.integers(0, 255, (count, 16, 16, 3), np.uint8),
        scale=np.array([40] * 8 + [100], np.float32),
        position_um=np.full((count, 3), np.nan, np.float32),
        box_px=np.tile(np.array([0, 0, 16, 16], np.int64), (count, 1)),
        image=np.arange(count),
    )
    case = Case("a", "a", ())
    reading = Reading(case, bag, example_of(case, bag))
    sets = views_of(recipe).kept(reading.example)
    images: list[int] = []
    for part in judge.model.backbone.networks:
        block = part.network.blocks[0][0]
        block.register_forward_hook(lambda _m, _i, out: images.append(len(out)))
    said = judge.judge(reading, full=True)
    assert sum(images) == len(torch.cat([*sets]).unique()) <= count < sum(map(len, sets))
    shown = [pack([reading.example.only(rows)]) for rows in sets]
    rows = np.concatenate([predict(judge.model, [one]) for one in shown])
    np.testing.assert_allclose(said.raw, rows.mean(0), atol=1e-6)
    each = CHOICES.calibrated(rows)[:, said.decision]
    assert said.view_spread == pytest.approx(each.std(), abs=1e-6)
    maps = np.zeros_like(said.evidence.maps["grad-cam"])
    for one, own in zip(shown, sets, strict=True):
        maps[own.numpy()] += grad_cam(judge.model, one, 1) / len(sets)
    assert maps.max() > 0
    np.testing.assert_allclose(said.evidence.maps["grad-cam"], maps, rtol=1e-4, atol=1e-7)
    told = said.evidence.alone
    for row in torch.cat([*sets]).unique().tolist():
        (alone,) = predict(judge.model, [pack([reading.example.only(torch.tensor([row]))])])
        np.testing.assert_allclose(told[row], CHOICES.calibrated(alone[None])[0], atol=1e-6)


def test_what_are_no_pixels_any_more_is_not_mirrored() -> None:
    stored = Recipe.model_validate({**CONTENT, "views": "flips"})
    with pytest.raises(RecipeError, match="recipe sets answers from stored features"):
        views_of(stored)
    kept = Recipe.model_validate({**PIXELS, "views": "flips", "train": {"reuse": {}}})
    with pytest.raises(RecipeError, match=r"set train.reuse=null"):
        views_of(kept)


def test_a_vote_tells_the_mean_of_its_members(reading: Reading, tmp_path: Path) -> None:
    members = tuple(member({"name": "per_scale", "sets": 4}, seed) for seed in (0, 1))
    said = Vote("both", members).judge(reading, full=False)
    parts = [judge.judge(reading, full=False).view_spread for judge in members]
    assert said.view_spread == pytest.approx(np.mean([part or 0 for part in parts]))
    write_predictions(tmp_path / "vote.csv", [said], ("n", "p"), spread=True)
    (row,) = read_rows(tmp_path / "vote.csv")
    assert float(row["view_spread"]) == pytest.approx(said.view_spread, abs=1e-7)
    assert float(row["spread"]) == pytest.approx(said.spread, abs=1e-7)
