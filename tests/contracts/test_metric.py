"""What holds for every metric, by the facts that it states."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.evaluation import FEW, METRICS, Metric, Scores, measure


def drawn(seed, patients=40, classes=2, only=None):
    rng = np.random.default_rng(seed)
    truth = np.concatenate((np.arange(classes), rng.integers(classes, size=patients)))[:patients]
    if only is not None:
        truth = np.full(patients, only)
    raw = rng.random((patients, classes)) + 0.05 + 0.7 * np.eye(classes)[truth]
    shares = raw / raw.sum(axis=1, keepdims=True)
    names = tuple(f"p{i:03}" for i in rng.permutation(patients))
    return Scores(truth, shares, rng.integers(classes, size=patients), names)


def value(metric, scores):
    return metric(scores.truth, scores.probabilities, scores.decision)


def taken(scores, rows):
    names = tuple(scores.patients[i] for i in rows)
    return Scores(scores.truth[rows], scores.probabilities[rows], scores.decision[rows], names)


def fitting(name, classes):
    return METRICS[name].fits(classes)


seeds = st.integers(0, 10**6)


@pytest.mark.parametrize("name", METRICS)
@given(seed=seeds, classes=st.sampled_from([2, 3]), patients=st.integers(3, 40))
@settings(max_examples=20, deadline=None)
def test_value_within_range_whatever_the_order(name, seed, classes, patients):
    metric, scores = METRICS[name], drawn(seed, patients, classes)
    if not fitting(name, classes):
        return
    low, high = metric.range_of(classes)
    found = value(metric, scores)
    assert np.isnan(found) or low - 1e-9 <= found <= high + 1e-9
    order = np.random.default_rng(seed).permutation(patients)
    assert value(metric, taken(scores, order)) == pytest.approx(found, nan_ok=True, abs=1e-6)
    twice = taken(scores, np.repeat(np.arange(patients), 2))
    assert value(metric, twice) == pytest.approx(found, nan_ok=True, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
@given(seed=seeds)
@settings(max_examples=10, deadline=None)
def test_it_rests_on_what_it_says(name, seed):
    metric, scores = METRICS[name], drawn(seed)
    other = drawn(seed + 1)
    if metric.rests_on == "decisions":
        changed = Scores(scores.truth, other.probabilities, scores.decision, scores.patients)
    else:
        changed = Scores(scores.truth, scores.probabilities, other.decision, scores.patients)
    assert value(metric, changed) == pytest.approx(value(metric, scores), nan_ok=True)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("only", [0, 1])
def test_one_class_is_undefined_where_the_other_is_needed(name, only):
    metric, scores = METRICS[name], drawn(1, 9, only=only)
    assert np.isnan(value(metric, scores)) == (1 - only in metric.needs)


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_answer_has_the_best_value(name):
    truth = np.arange(60) % 2
    shares = np.eye(2)[truth]
    perfect = METRICS[name](truth, shares, truth)
    assert np.isnan(perfect) or perfect == pytest.approx(METRICS[name].best, abs=1e-9)
    assert METRICS[name].cost(METRICS[name].best) <= METRICS[name].cost(
        METRICS[name](truth, shares[::-1], 1 - truth) if METRICS[name].within[1] <= 1 else 7.0
    )


@pytest.mark.parametrize("name", METRICS)
@given(seed=seeds)
@settings(max_examples=8, deadline=None)
def test_terms_are_what_the_value_is_the_mean_of(name, seed):
    metric, scores = METRICS[name], drawn(seed, classes=2 + seed % 2)
    if metric.terms is None:
        return
    terms = metric.terms(scores.truth, scores.probabilities, scores.decision)
    assert np.nanmean(terms, axis=0).mean() == pytest.approx(value(metric, scores))
    low, high = metric.range_of(scores.classes)
    assert low <= np.nanmin(terms) <= np.nanmax(terms) <= high


@pytest.mark.parametrize("patients", [1, 2, 3, 7, 29, 61, 100])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_interval_holds_the_value_or_tells_why_there_is_none(patients, classes):
    scores = drawn(patients, patients, classes)
    told = measure(scores, repeats=100, seed=1)
    assert set(told) == {name for name in METRICS if fitting(name, classes)}
    for name, interval in told.items():
        assert (interval.low is None) == (interval.high is None) == (interval.method is None), name
        assert (interval.low is None) == (interval.reason is not None), name
        if interval.low is not None:
            low, high = METRICS[name].range_of(classes)
            assert low <= interval.low <= interval.value <= interval.high <= high, name
            assert patients > 1, name
        assert interval.method != "bootstrap" or METRICS[name].resting(scores) >= FEW


def _share_of_sure(truth, probabilities, decision, weights):
    return weights @ (probabilities.max(axis=1) > 0.995).astype(float) / weights.sum(axis=1)


def test_a_new_metric_has_an_interval_from_its_facts(monkeypatch):
    bare = Metric(_share_of_sure, "probabilities", "cases")
    stated = Metric(
        _share_of_sure,
        "probabilities",
        "cases",
        terms=lambda truth, probabilities, decision: (probabilities.max(axis=1) > 0.995).astype(
            float
        )[:, None],
    )
    monkeypatch.setitem(METRICS, "sure", bare)
    monkeypatch.setitem(METRICS, "sure, told by case", stated)
    few, many = drawn(1, 12), drawn(1, 80)
    told = measure(few, repeats=100, seed=1)
    assert (told["sure"].value, told["sure"].low) == (0.0, None)
    assert told["sure, told by case"].high == pytest.approx(1 - 0.025 ** (1 / 12))
    told = measure(many, repeats=100, seed=1)
    assert told["sure"].low is None
    assert "agree" in told["sure"].reason
    assert told["sure, told by case"].method == "formula"
