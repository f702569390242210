"""Learnt importance of magnifications: fold by fold, with its range, and only where it is."""

from pathlib import Path

import pytest
import torch

from wholecase.assemble import model_of
from wholecase.evaluation import Interval
from wholecase.experiment.importance import importance_notes, learnt_importance
from wholecase.models import save_model
from wholecase.recipes import Recipe
from wholecase.runs import RunFolder

CONTENT = {
    "recipe": "scales",
    "cohort": {"positive": ["p"], "negative": ["n"]},
    "cut": "whole",
    "model": {
        "aggregator": {
            "name": "cross_magnification",
            "scales": [0.25, 1.0],
            "inner": 8,
            "finer": "low",
        },
        "head": "binary",
    },
}


def test_shares_of_each_fold_their_mean_and_range(tmp_path: Path) -> None:
    recipe, run = Recipe.model_validate(CONTENT), RunFolder(tmp_path)
    for number, odds in enumerate((1.0, 4.0)):
        model = model_of(recipe, 4, 2, number)
        with torch.no_grad():  # coarse first: 1.0, then 0.25
            model.pool.importance.copy_(torch.tensor([odds, 1.0]).log())
        save_model(run.fold(number).model, model, {})
    told = learnt_importance(run, recipe, [0, 1])
    assert told["1"]["folds"] == pytest.approx([0.5, 0.8])
    assert told["0.25"]["mean"] == pytest.approx(0.35)
    assert told["1"]["deviation"] == pytest.approx(0.212132)
    note, wandering = importance_notes(told)
    assert "1 0.65 (0.50 to 0.80), 0.25 0.35 (0.20 to 0.50)" in note
    assert "by up to 0.30 between folds, that of the scales by 0.30 on average" in wandering
    lost = {"1": Interval(0.1, 0.02, 0.2, 9)}
    beside = learnt_importance(run, recipe, [0, 1], lost)
    assert beside["1"]["lost"]["low"] == 0.02
    assert "lost" not in beside["0.25"]
    assert learnt_importance(run, recipe, [7]) == {}, "a fold without a model of its own"


def test_repeats_with_other_seeds_tell_how_far_the_means_go(tmp_path: Path) -> None:
    recipe = Recipe.model_validate({**CONTENT, "protocol": {"repeats": 3}})
    run = RunFolder(tmp_path)
    for repeat, odds in enumerate((1.0, 4.0, 9.0)):
        for fold in range(2):
            model = model_of(recipe, 4, 2, fold)
            with torch.no_grad():
                model.pool.importance.copy_(torch.tensor([odds, 1.0]).log())
            save_model(run.repeat(repeat).fold(fold).model, model, {})
    told = learnt_importance(run, recipe, [0, 1])
    assert told["1"]["folds"] == pytest.approx([0.5, 0.5]), "the run alone"
    assert told["1"]["repeats"] == pytest.approx([0.5, 0.8, 0.9])
    notes = importance_notes(told)
    assert notes[1] == (
        "Over 3 repeats with other seeds the mean over the folds goes: 1 0.50 to 0.90, 0.25 0.10 "
        "to 0.50."
    )
    told["1"]["mean"], told["0.25"]["mean"] = 0.6, 0.4
    assert "differs by up to 0.40 between repeats" in importance_notes(told)[2]


def test_folds_that_agree_are_not_said_to_wander() -> None:
    told = {"40": {"mean": 0.7, "folds": [0.68, 0.72]}, "100": {"mean": 0.3, "folds": [0.28, 0.32]}}
    assert len(importance_notes(told)) == 1


def test_other_models_have_none(tmp_path: Path) -> None:
    plain = {**CONTENT, "model": {"aggregator": "mean", "head": "binary"}}
    assert learnt_importance(RunFolder(tmp_path), Recipe.model_validate(plain), [0]) == {}
    assert importance_notes({}) == []
