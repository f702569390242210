import numpy as np
import pytest

from wholecase.core.errors import RecipeError, RunError
from wholecase.core.files import write_json
from wholecase.core.seeds import generator
from wholecase.evaluation import (
    METRICS,
    Interval,
    Scores,
    auroc,
    mean_interval,
    measure,
    paired_difference,
)


def drawn(rng, patients, cases_each=1, gap=1.0):
    """Cases of a patient share truth and, but for a little noise, score."""
    truth = np.repeat(rng.integers(2, size=patients), cases_each)
    score = np.repeat(rng.normal(size=patients), cases_each) + gap * truth
    score += 0.01 * rng.normal(size=len(score))
    positive = 1 / (1 + np.exp(-score))
    names = tuple(f"p{i}" for i in np.repeat(np.arange(patients), cases_each))
    probabilities = np.stack((1 - positive, positive), axis=1)
    return Scores(truth, probabilities, (positive > 0.5).astype(int), names)


def rearranged(scores, order):
    names = tuple(scores.patients[i] for i in order)
    return Scores(scores.truth[order], scores.probabilities[order], scores.decision[order], names)


def test_every_metric_is_measured_around_its_value(tmp_path):
    scores = drawn(np.random.default_rng(0), 80)
    measured = measure(scores, repeats=400, seed=1)
    assert set(measured) == set(METRICS)
    for name, interval in measured.items():
        assert interval.value == METRICS[name](scores.truth, scores.probabilities, scores.decision)
        assert interval.low < interval.value < interval.high
        assert interval.n == 80
    write_json(tmp_path / "m.json", {name: i.to_json() for name, i in measured.items()})


def test_agrees_with_a_loop_that_copies_patients():
    scores = drawn(np.random.default_rng(1), 30, cases_each=2)
    cases_of = {p: np.flatnonzero(np.array(scores.patients) == p) for p in set(scores.patients)}
    names, rng, values = sorted(cases_of), generator(7, "bootstrap"), []
    for choice in rng.integers(len(names), size=(300, len(names))):
        taken = np.concatenate([cases_of[names[i]] for i in choice])
        values.append(auroc(scores.truth[taken] == 1, scores.probabilities[taken, 1]))
    interval = measure(scores, repeats=300, seed=7, alpha=0.1)["auroc"]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])))


def test_same_seed_same_interval_and_another_seed_another():
    scores = drawn(np.random.default_rng(2), 40)
    assert measure(scores, repeats=200, seed=3) == measure(scores, repeats=200, seed=3)
    assert measure(scores, repeats=200, seed=3) != measure(scores, repeats=200, seed=4)


def test_order_of_cases_changes_nothing():
    rng = np.random.default_rng(3)
    scores = drawn(rng, 30, cases_each=2)
    shuffled = rearranged(scores, rng.permutation(60))
    for name, interval in measure(scores, repeats=200, seed=3).items():
        other = measure(shuffled, repeats=200, seed=3)[name]
        assert (other.low, other.high) == pytest.approx((interval.low, interval.high))


def test_memory_in_blocks_changes_nothing(monkeypatch):
    scores = drawn(np.random.default_rng(4), 40)
    whole = measure(scores, repeats=100, seed=3)
    monkeypatch.setattr("wholecase.evaluation.intervals.BLOCK", 7 * 40)
    for name, interval in measure(scores, repeats=100, seed=3).items():
        assert (interval.low, interval.high) == pytest.approx((whole[name].low, whole[name].high))


def test_patients_are_drawn_whole():
    scores = drawn(np.random.default_rng(5), 40, cases_each=10)
    apart = Scores(
        scores.truth, scores.probabilities, scores.decision, tuple(f"c{i}" for i in range(400))
    )
    by_patient = measure(scores, repeats=500, seed=3)["auroc"]
    by_case = measure(apart, repeats=500, seed=3)["auroc"]
    assert by_patient.value == by_case.value
    assert by_patient.high - by_patient.low > 2 * (by_case.high - by_case.low)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    rng, inside = np.random.default_rng(6), 0
    for i in range(150):
        interval = measure(drawn(rng, 80), repeats=200, seed=i)["auroc"]
        inside += interval.low <= 0.7602 <= interval.high  # Phi(1 / sqrt(2))
    assert 0.88 <= inside / 150 <= 0.99


def test_a_single_patient_has_a_value_and_no_interval():
    one = drawn(np.random.default_rng(7), 1, cases_each=3)
    assert measure(one, repeats=50, seed=1)["brier"].low is None
    assert measure(one, repeats=50, seed=1)["brier"].value is not None


def test_a_class_of_one_patient_has_the_exact_bound_where_it_matters():
    truth = np.array([0] * 9 + [1])
    positive = np.linspace(0.1, 0.6, 10)
    scores = Scores(
        truth,
        np.stack((1 - positive, positive), axis=1),
        np.array([0, 1] * 5),
        tuple("abcdefghij"),
    )
    measured = measure(scores, repeats=300, seed=1)
    assert (measured["auroc"].value, measured["auroc"].low) == (1.0, pytest.approx(0.025))
    assert measured["accuracy"].low < measured["accuracy"].high


def test_one_class_only_has_no_value():
    scores = Scores(np.zeros(3, int), np.full((3, 2), 0.5), np.array([0, 0, 1]), ("a", "b", "c"))
    assert measure(scores, repeats=50, seed=1)["auroc"] == Interval(None, None, None, 3)


def test_redraws_that_all_agree_do_not_pose_as_certainty():
    scores = drawn(np.random.default_rng(8), 30, gap=100.0)
    perfect = measure(scores, repeats=200, seed=1)["auroc"]
    rarest = np.bincount(scores.truth).min()  # every patient has one case
    # m right among m: the bound at which that happens once in forty times
    assert perfect.low is not None
    assert perfect.low**rarest == pytest.approx(0.025)
    assert (perfect.value, perfect.high, perfect.n) == (1.0, 1.0, 30)


def test_mean_leaves_out_cases_without_a_number():
    values = np.array([0.2, np.nan, 0.6, 0.7])
    interval = mean_interval(values, ("a", "b", "c", "c"), repeats=300, seed=1)
    assert interval.value == pytest.approx(0.5)
    assert interval.n == 2
    # only a, both, or only c: the mean of c's two cases
    assert (interval.low, interval.high) == pytest.approx((0.2, 0.65))


def test_mean_of_nothing_is_none():
    nothing = np.full(2, np.nan, np.float32)
    assert mean_interval(nothing, ("a", "b"), seed=1) == Interval(None, None, None, 0)


def test_paired_difference_sees_what_two_intervals_hide():
    rng = np.random.default_rng(9)
    a = drawn(rng, 60)
    worse = a.probabilities[:, 1] - 0.02 * rng.random(60) * (2 * a.truth - 1)
    b = Scores(a.truth, np.stack((1 - worse, worse), axis=1), a.decision, a.patients)
    interval = paired_difference(a, b, "brier", repeats=400, seed=1)
    alone = {k: measure(s, repeats=400, seed=1)["brier"] for k, s in (("a", a), ("b", b))}
    assert interval.value == pytest.approx(alone["a"].value - alone["b"].value)
    assert interval.high < 0
    assert alone["a"].high > alone["b"].low


def test_a_paired_difference_with_itself_is_nothing():
    a = drawn(np.random.default_rng(10), 20)
    assert paired_difference(a, a, "auroc", repeats=100, seed=1) == Interval(0.0, None, None, 20)


def test_a_paired_difference_needs_the_same_cases():
    a = drawn(np.random.default_rng(11), 20)
    with pytest.raises(RunError, match="same cases"):
        paired_difference(a, rearranged(a, np.arange(20)[::-1]), "auroc", seed=1)
    with pytest.raises(RecipeError, match="did you mean 'auroc'"):
        paired_difference(a, a, "aurok", seed=1)
