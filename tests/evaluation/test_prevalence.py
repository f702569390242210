"""Answers where the positive class is rarer than among those learnt from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from wholecase.core.errors import RunError
from wholecase.evaluation import (
    THRESHOLDS,
    Scores,
    estimated_prevalence,
    predictive_values,
    reweighted,
)

shares = st.floats(0.01, 0.99)


def drawn(rng, cases, share, learnt=None):
    """Truth with that share of positives, and honest probabilities of a place where it was so."""
    truth = (rng.random(cases) < share).astype(int)
    ratio = 2.0 * (truth - 0.5) * 1.5 + rng.normal(size=cases) * np.sqrt(2 * 1.5)
    return truth, expit(ratio + logit(learnt or share))


@given(p=st.lists(shares, min_size=1, max_size=9), learnt=shares, here=shares)
def test_there_and_back_is_where_it_was_and_order_stays(p, learnt, here):
    said = np.array(p)
    there = reweighted(said, learnt, here)
    assert reweighted(there, here, learnt) == pytest.approx(said, abs=1e-9)
    assert (np.diff(there[np.argsort(said)]) >= -1e-12).all()
    assert (there <= said + 1e-12).all() if here <= learnt else (there >= said - 1e-12).all()


def test_the_odds_of_bayes():
    """Of a test with likelihood ratio 9 at one half, 0.9; at one in ten, one half."""
    assert reweighted(np.array([0.9]), 0.5, 0.1)[0] == pytest.approx(0.5)


def test_probabilities_learnt_elsewhere_are_honest_once_they_are_reweighted():
    truth, elsewhere = drawn(np.random.default_rng(0), 40_000, 0.06, learnt=0.5)
    here = reweighted(elsewhere, 0.5, 0.06)
    assert abs(elsewhere.mean() - truth.mean()) > 0.1
    assert here.mean() == pytest.approx(truth.mean(), abs=0.005)
    for low, high in ((0.0, 0.05), (0.05, 0.3), (0.3, 1.0)):
        own = (here > low) & (here <= high)
        assert truth[own].mean() == pytest.approx(here[own].mean(), abs=0.03)


@pytest.mark.parametrize("share", [0.03, 0.2, 0.5, 0.8])
def test_the_share_of_cases_without_truth_is_found(share):
    _, said = drawn(np.random.default_rng(1), 20_000, share, learnt=0.4)
    assert estimated_prevalence(said, 0.4) == pytest.approx(share, abs=0.02)


def test_answers_that_tell_nothing_leave_the_share_where_it_was():
    assert estimated_prevalence(np.full(50, 0.3), 0.3) == pytest.approx(0.3)


def test_predictive_values_are_those_of_bayes_at_any_prevalence():
    truth = np.array([1] * 10 + [0] * 20)
    decision = np.array([1] * 9 + [0] + [1] * 2 + [0] * 18)
    rows = np.stack([1 - decision, decision], 1).astype(float)
    scores = Scores(truth, rows, decision, tuple(map(str, range(30))))
    seen = predictive_values(scores, 1 / 3)
    assert seen.positive.value == pytest.approx(9 / 11)
    assert seen.negative.value == pytest.approx(18 / 19)
    rare = predictive_values(scores, 0.01)
    assert rare.positive.value == pytest.approx(0.9 * 0.01 / (0.9 * 0.01 + 0.1 * 0.99))
    assert rare.positive.low < rare.positive.value < rare.positive.high < seen.positive.value


def test_intervals_of_predictive_values_hold_the_truth():
    rng, held = np.random.default_rng(2), np.zeros(2)
    se, sp, share, times = 0.85, 0.9, 0.1, 300
    ppv = se * share / (se * share + (1 - sp) * (1 - share))
    npv = sp * (1 - share) / (sp * (1 - share) + (1 - se) * share)
    truth = np.repeat([1, 0], 40)
    for _ in range(times):
        right = rng.random(80) < np.where(truth == 1, se, sp)
        decision = np.where(right, truth, 1 - truth)
        rows = np.stack([1 - decision, decision], 1).astype(float)
        told = predictive_values(Scores(truth, rows, decision, tuple(map(str, range(80)))), share)
        ends = [(told.positive, ppv), (told.negative, npv)]
        held += [one.low <= at <= one.high for one, at in ends]
    assert (held / times >= 0.92).all(), held / times


def test_a_threshold_is_chosen_as_if_the_classes_came_as_often_as_there():
    truth, said = drawn(np.random.default_rng(3), 4000, 0.5)
    rule = THRESHOLDS["f1"]
    assert rule.at_prevalence(truth, said, truth.mean()) == pytest.approx(rule(truth, said))
    here = reweighted(said, 0.5, 0.05)
    chosen = rule.at_prevalence(truth, here, 0.05)
    negatives = np.flatnonzero(truth == 0)
    positives = np.random.default_rng(4).choice(np.flatnonzero(truth == 1), len(negatives) // 19)
    sample = np.concatenate([negatives, positives])
    there = rule(truth[sample], here[sample])
    assert chosen == pytest.approx(there, abs=0.12)
    assert chosen > 0.15  # at one half the same cases are cut at
    assert THRESHOLDS["half"].at_prevalence(truth, here, 0.05) == 0.5


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
def test_shares_that_are_none_are_refused(share):
    with pytest.raises(RunError, match="between 0 and 1"):
        reweighted(np.array([0.5]), 0.5, share)
