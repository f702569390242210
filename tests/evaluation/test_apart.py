"""Ranks of cases that several models judged: only what one model said is compared."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import KFold

from wholecase.core.errors import RunError
from wholecase.evaluation import METRICS, Scores, measure, paired_difference
from wholecase.evaluation.redraws import redraws


def of(positive, truth, judges, patients=None):
    names = patients or tuple(f"p{i:03}" for i in range(len(truth)))
    both = np.stack([1 - positive, positive], axis=1)
    return Scores(truth, both, (positive > 0.5).astype(int), names, judges)


def drawn(rng, patients, folds, gap=1.5, shift=2.0):
    """Each fold's model says the log odds of all of its cases too high or too low by its own."""
    judges = rng.permutation(np.arange(patients) % folds)
    truth = np.arange(patients) % 2
    odds = gap * (truth - 0.5) + rng.normal(size=patients) + shift * rng.normal(size=folds)[judges]
    return of(expit(odds), truth, judges)


def naive(scores):
    """Pairs counted one by one."""
    won = asked = 0
    for i in np.flatnonzero(scores.truth == 1):
        for j in np.flatnonzero(scores.truth == 0):
            if scores.judges[i] == scores.judges[j]:
                a, b = scores.probabilities[i, 1], scores.probabilities[j, 1]
                won, asked = won + (a > b) + (a == b) / 2, asked + 1
    return won / asked if asked else np.nan


@given(seed=st.integers(0, 10**6), patients=st.integers(2, 40), folds=st.integers(2, 6))
@settings(max_examples=60, deadline=None)
def test_the_area_is_the_share_of_pairs_within_folds(seed, patients, folds):
    scores = drawn(np.random.default_rng(seed), patients, folds)
    rounded = of(np.round(scores.probabilities[:, 1], 1), scores.truth, scores.judges)
    if not rounded.has_several_judges:
        return
    assert METRICS["auroc"].once(rounded) == pytest.approx(naive(rounded), nan_ok=True)
    pooled = replace(rounded, judges=None)
    assert METRICS["auroc_pooled"].once(rounded) == METRICS["auroc"].once(pooled)


@given(seed=st.integers(0, 10**6), folds=st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_the_precision_of_a_fold_weighs_as_many_positives_as_it_has(seed, folds):
    scores = drawn(np.random.default_rng(seed), 40, folds)
    total = counted = 0
    for judge in range(folds):
        own = scores.judges == judge
        if 0 < scores.truth[own].sum() < own.sum():
            one = average_precision_score(scores.truth[own], scores.probabilities[own, 1])
            total += one * scores.truth[own].sum()
            counted += scores.truth[own].sum()
    assert METRICS["auprc"].once(scores) == pytest.approx(total / counted)


def test_of_several_classes_each_is_held_against_the_rest_within_folds():
    rng = np.random.default_rng(3)
    truth, judges = np.arange(60) % 3, np.repeat([0, 1], 30)
    rows = rng.dirichlet(np.ones(3), 60)
    scores = Scores(truth, rows, rows.argmax(1), tuple(map(str, range(60))), judges)
    found = [
        np.mean([roc_auc_score(truth[o] == c, rows[o, c]) for o in (judges == 0, judges == 1)])
        for c in range(3)
    ]
    assert METRICS["auroc"].once(scores) == pytest.approx(np.mean(found))


def test_shifting_what_one_model_says_moves_the_pooled_rank_alone():
    scores = drawn(np.random.default_rng(1), 100, 2, shift=0.0)
    odds = np.log(scores.probabilities[:, 1] / scores.probabilities[:, 0])
    moved = of(expit(odds + 4 * scores.judges), scores.truth, scores.judges)
    a, b = measure(scores, repeats=50, seed=1), measure(moved, repeats=50, seed=1)
    assert a["auroc"] == b["auroc"]
    assert a["auroc_pooled"].value > b["auroc_pooled"].value + 0.1


def test_one_judge_says_what_was_said_without():
    scores = drawn(np.random.default_rng(1), 60, 3)
    alone, none = replace(scores, judges=np.zeros(60, int)), replace(scores, judges=None)
    assert measure(alone, repeats=50, seed=1) == measure(none, repeats=50, seed=1)
    assert "auroc_pooled" not in measure(alone, repeats=50, seed=1)


def test_patients_are_redrawn_within_their_fold():
    patients, judges = tuple("aabbccddee"), np.array([1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
    for weights in redraws(patients, 200, 1, judges):
        assert (weights[:, ::2] == weights[:, 1::2]).all()
        assert (weights[:, judges == 1].sum(1) == 6).all()
        assert (weights[:, judges == 2].sum(1) == 4).all()
        assert weights[:, judges == 1].std(0).min() > 0


def test_judges_that_do_not_fit_are_refused():
    scores = drawn(np.random.default_rng(1), 20, 2)
    for other in (None, (scores.judges + np.arange(20)) % 2):
        with pytest.raises(RunError, match="same division into judges"):
            paired_difference(scores, replace(scores, judges=other), "auroc", seed=1)
    renamed = replace(scores, judges=1 - scores.judges)
    assert paired_difference(scores, renamed, "auroc", repeats=50, seed=1).value == 0


def told_of_nothing(seed):
    """Ten folds, as they fall, of logistic regression on numbers that tell nothing."""
    rng = np.random.default_rng(seed)
    truth, features = np.arange(60) % 3 // 2, rng.normal(size=(60, 2))
    said, judges = np.zeros(60), np.zeros(60, int)
    folds = KFold(10, shuffle=True, random_state=seed).split(features)
    for number, (train, test) in enumerate(folds):
        model = LogisticRegression(C=0.01).fit(features[train], truth[train])
        said[test], judges[test] = model.predict_proba(features[test])[:, 1], number
    return of(said, truth, judges)


def test_of_what_tells_nothing_the_pooled_rank_is_below_chance_and_that_within_folds_is_not():
    all_said = [told_of_nothing(seed) for seed in range(100)]
    within = np.array([METRICS["auroc"].once(one) for one in all_said])
    pooled = np.array([METRICS["auroc_pooled"].once(one) for one in all_said])
    reach = 3 * within.std() / np.sqrt(100)
    assert abs(within.mean() - 0.5) < reach
    assert pooled.mean() < within.mean() - 0.05


def covered(patients, folds, times, repeats=200):
    rng, truth, held = np.random.default_rng(patients), norm.cdf(1.5 / np.sqrt(2)), 0
    names = {name: METRICS[name] for name in ("auroc",)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("wholecase.evaluation.intervals.METRICS", names)
        for i in range(times):
            told = measure(drawn(rng, patients, folds), repeats=repeats, seed=i)["auroc"]
            held += told.low is None or told.low <= truth <= told.high
    return held / times


@pytest.mark.parametrize(("patients", "folds"), [(10, 5), (40, 5), (100, 5)])
def test_intervals_within_folds_hold_the_truth_as_often_as_they_say(patients, folds):
    assert covered(patients, folds, 100) >= 0.885


@pytest.mark.slow
@pytest.mark.parametrize("folds", [5, 10])
@pytest.mark.parametrize("patients", [10, 20, 50, 70, 100, 200])
def test_intervals_within_folds_hold_the_truth_in_many_tries(patients, folds):
    found = covered(patients, folds, 500)
    print(patients, folds, found)  # the table of decision 26
    assert found >= 0.91
