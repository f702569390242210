"""What answers lose with views of others: nothing where the scale has no say."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from wholecase.answer import FoldModel
from wholecase.assemble import model_of
from wholecase.evaluation import Interval, Scores, mean_drop, paired_difference
from wholecase.experiment.exchanged import (
    NAMES,
    _donors,
    _exchanged,
    _renamed,
    _sets,
    _told,
    lost_notes,
)
from wholecase.recipes import Recipe
from wholecase.training import Choices, Example

CONTENT = {
    "recipe": "scales",
    "cohort": {"positive": ["p"], "negative": ["n"]},
    "cut": "whole",
    "model": {
        "aggregator": {
            "name": "cross_magnification",
            "scales": [40, 100],
            "inner": 8,
            "heads": 2,
        },
        "head": "binary",
    },
    "views": {"name": "per_scale", "sets": 2},
}


@pytest.fixture
def cases() -> list[Example]:
    """Ten cases of nine patients, two views of each scale; the last two cases lack 100."""
    rng = np.random.default_rng(0)
    made = []
    for number in range(10):
        scale = torch.tensor([40.0, 40.0, 100.0, 100.0][: 2 if number > 7 else 4])
        values = torch.from_numpy(rng.normal(size=(len(scale), 4)).astype(np.float32))
        made.append(Example(f"c{number}", f"p{max(1, number)}", values, scale=scale))
    return made


def hears_40_alone() -> FoldModel:
    """Views of 100 have a share of nothing, and those of 40 are told nothing by them."""
    recipe = Recipe.model_validate(CONTENT)
    model = model_of(recipe, 4, 2, 0)
    with torch.no_grad():
        model.pool.importance.copy_(torch.tensor([60.0, 0.0]))
        for part in (model.pool.hierarchy, model.pool.fusion):
            part.output.weight.zero_()
    return FoldModel(0, recipe, model, Choices(1.0, 0.5))


def test_only_the_scale_that_has_a_say_is_missed(cases: list[Example]) -> None:
    member = hears_40_alone()
    shown = _sets(member, cases)
    assert [len(each) for each in shown] == [10, 10]
    as_is = _told(member, shown)
    rng = np.random.default_rng(1)
    np.testing.assert_allclose(
        _told(member, _exchanged(shown, cases, 100.0, rng)), as_is, atol=1e-6
    )
    other = _told(member, _exchanged(shown, cases, 40.0, rng))
    assert (np.abs(other - as_is).max(1) > 1e-4).sum() >= 9
    renamed = [[_renamed(one, rng) for one in each] for each in shown]
    assert np.abs(_told(member, renamed) - as_is).max() > 1e-4


def test_views_come_from_another_patient_who_has_them(cases: list[Example]) -> None:
    for seed in range(20):
        donors = _donors(cases, 100.0, np.random.default_rng(seed))
        assert donors[8:] == [8, 9], "who lacks the scale goes on lacking it"
        assert all(cases[m].patient != cases[d].patient for m, d in enumerate(donors[:8]))
    (first,) = _exchanged([cases], cases, 100.0, np.random.default_rng(3))
    donors = _donors(cases, 100.0, np.random.default_rng(3))
    assert torch.equal(first[2].values[:2], cases[2].values[:2])
    assert torch.equal(first[2].values[2:], cases[donors[2]].values[2:])
    alone = [replace(cases[0], patient="p"), replace(cases[1], patient="p")]
    assert _donors(alone, 40.0, np.random.default_rng(0)) == [0, 1], "nobody else has it"


def scores(probability: np.ndarray) -> Scores:
    count = len(probability)
    truth = np.arange(count) % 2
    rows = np.stack([1 - probability, probability], 1)
    return Scores(truth, rows, rows.argmax(1), tuple(f"p{i}" for i in range(count)))


@pytest.mark.parametrize("count", [20, 80])
def test_the_drop_is_the_mean_of_the_drops(count: int) -> None:
    rng = np.random.default_rng(0)
    good = scores(0.5 + 0.3 * (np.arange(count) % 2 - 0.5) + rng.uniform(-0.1, 0.1, count))
    trials = [scores(rng.random(count)) for _ in range(4)]
    drop = mean_drop(good, trials, "auroc", repeats=200, seed=1)
    each = [paired_difference(good, t, "auroc", repeats=200, seed=1) for t in trials]
    assert drop.value == pytest.approx(np.mean([one.value for one in each]))
    assert drop.low is not None
    assert drop.high is not None
    assert 0 < drop.low < drop.value < drop.high
    one = mean_drop(good, trials[:1], "auroc", repeats=200, seed=1)
    assert (one.low, one.high) == pytest.approx((each[0].low, each[0].high))


def test_notes_say_what_is_beyond_chance() -> None:
    lost = {
        "40": Interval(0.2, 0.1, 0.3, 40, "bootstrap"),
        "100": Interval(0.01, -0.05, 0.07, 40, "bootstrap"),
        NAMES: Interval(0.0, -0.02, 0.02, 40, "bootstrap"),
    }
    first, second = lost_notes(lost, 5)
    assert "40 0.200 (0.100 to 0.300); 100 0.010 (-0.050 to 0.070); beyond chance at 40." in first
    assert second.startswith("Shuffling which view is of which scale costs no AUROC beyond chance")
    assert len(list(lost_notes(lost | {NAMES: lost["40"]}, 5))) == 1
    assert list(lost_notes({}, 5)) == []
