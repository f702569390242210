import numpy as np
import pytest
from scipy import stats

from wholecase.core.errors import RecipeError, RunError
from wholecase.core.files import write_json
from wholecase.core.seeds import generator
from wholecase.evaluation import (
    FEW,
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
    assert set(measured) == {name for name in METRICS if METRICS[name].fits(2)}
    for name, interval in measured.items():
        value = METRICS[name](scores.truth, scores.probabilities, scores.decision)
        assert (interval.value, interval.n) == (value, 80)
        if METRICS[name].is_redrawn:
            assert interval.method == "bootstrap"
            assert interval.low < interval.value < interval.high
    write_json(tmp_path / "m.json", {name: i.to_json() for name, i in measured.items()})


def test_agrees_with_a_loop_that_copies_patients():
    scores = drawn(np.random.default_rng(1), 80, cases_each=2)
    cases_of = {p: np.flatnonzero(np.array(scores.patients) == p) for p in set(scores.patients)}
    names, rng, values = sorted(cases_of), generator(7, "bootstrap"), []
    for choice in rng.integers(len(names), size=(300, len(names))):
        taken = np.concatenate([cases_of[names[i]] for i in choice])
        values.append(auroc(scores.truth[taken] == 1, scores.probabilities[taken, 1]))
    interval = measure(scores, repeats=300, seed=7, alpha=0.1)["auroc"]
    assert (interval.low, interval.high) == pytest.approx(tuple(np.quantile(values, [0.05, 0.95])))


def test_same_seed_same_interval_and_another_seed_another():
    scores = drawn(np.random.default_rng(2), 80)
    assert measure(scores, repeats=200, seed=3) == measure(scores, repeats=200, seed=3)
    assert measure(scores, repeats=200, seed=3) != measure(scores, repeats=200, seed=4)


def test_order_of_cases_changes_nothing():
    rng = np.random.default_rng(3)
    for patients in (10, 80):
        scores = drawn(rng, patients, cases_each=2)
        shuffled = rearranged(scores, rng.permutation(2 * patients))
        others = measure(shuffled, repeats=200, seed=3)
        for name, interval in measure(scores, repeats=200, seed=3).items():
            assert others[name].value == pytest.approx(interval.value, nan_ok=True), name
            assert others[name].low == pytest.approx(interval.low), name
            assert others[name].high == pytest.approx(interval.high), name


def test_memory_in_blocks_changes_nothing(monkeypatch):
    scores = drawn(np.random.default_rng(4), 80)
    whole = measure(scores, repeats=100, seed=3)
    monkeypatch.setattr("wholecase.evaluation.redraws.BLOCK", 7 * 80)
    for name, interval in measure(scores, repeats=100, seed=3).items():
        assert interval.low == pytest.approx(whole[name].low), name
        assert interval.high == pytest.approx(whole[name].high), name


def test_patients_are_drawn_whole():
    scores = drawn(np.random.default_rng(5), 80, cases_each=10)
    apart = Scores(
        scores.truth, scores.probabilities, scores.decision, tuple(f"c{i}" for i in range(800))
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
    told = measure(one, repeats=50, seed=1)["brier"]
    assert (told.value is not None, told.low) == (True, None)
    assert "one patient" in told.reason


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
    told = measure(scores, repeats=50, seed=1)["auroc"]
    assert told == Interval(None, None, None, 3, reason="undefined for these cases")


def test_redraws_that_all_agree_do_not_pose_as_certainty():
    scores = drawn(np.random.default_rng(8), 90, gap=100.0)
    positives = int(scores.truth.sum())
    right = Scores(scores.truth, scores.probabilities, scores.truth, scores.patients)
    measured = measure(right, repeats=200, seed=1)
    perfect = measured["sensitivity"]
    # m right among m: the bound at which that happens once in forty times
    assert perfect.low**positives == pytest.approx(0.025)
    assert (perfect.value, perfect.high, perfect.method) == (1.0, 1.0, "formula")
    assert 0.8 < measured["auroc"].low < measured["auroc"].high == 1.0
    assert (measured["matthews"].value, measured["matthews"].low) == (1.0, None)
    assert "agree" in measured["matthews"].reason


def test_two_patients_are_not_redrawn():
    truth, positive = np.array([0, 1]), np.array([0.3, 0.76])
    both = np.stack((1 - positive, positive), axis=1)
    told = measure(Scores(truth, both, np.array([0, 1]), ("a", "b")), seed=1)
    assert told["accuracy"].low == pytest.approx(0.025**0.5)
    assert told["brier"].low < 0.01
    assert told["brier"].high > 0.8
    assert told["auprc"].low is None
    assert f"fewer than {FEW} patients" in told["auprc"].reason


def test_a_constant_decision_has_no_certain_correlation():
    for patients in (10, 100):
        scores = drawn(np.random.default_rng(1), patients)
        constant = Scores(
            scores.truth, scores.probabilities, np.zeros(patients, int), scores.patients
        )
        told = measure(constant, repeats=100, seed=1)["matthews"]
        assert (told.value, told.low, told.high) == (0.0, None, None)


def test_mean_leaves_out_cases_without_a_number():
    values = np.array([0.2, np.nan, 0.6, 0.7])
    interval = mean_interval(values, ("a", "b", "c", "c"), seed=1)
    assert interval.value == pytest.approx(0.5)
    assert (interval.n, interval.method) == (2, "formula")
    assert interval.low < 0.2
    assert interval.high > 0.7


def test_a_mean_of_few_is_that_of_student():
    values = np.array([0.1, 0.5, 0.4, 0.9])
    interval = mean_interval(values, tuple("abcd"), seed=1)
    oracle = stats.t.interval(0.95, 3, loc=values.mean(), scale=stats.sem(values))
    assert (interval.low, interval.high) == pytest.approx(oracle)


def test_a_mean_of_bounded_numbers_is_bounded():
    interval = mean_interval(np.ones(5), tuple("abcde"), within=(-1.0, 1.0), seed=1)
    low = 2 * stats.binomtest(5, 5).proportion_ci().low - 1
    assert (interval.low, interval.high) == (pytest.approx(low), 1.0)
    alike = mean_interval(np.ones(5), tuple("abcde"), seed=1)
    assert (alike.value, alike.low) == (1.0, None)
    assert alike.reason


def test_mean_of_nothing_is_none():
    nothing = np.full(2, np.nan, np.float32)
    told = mean_interval(nothing, ("a", "b"), seed=1)
    assert told == Interval(None, None, None, 0, reason="undefined for these cases")


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
    many = drawn(np.random.default_rng(10), 90)
    told = paired_difference(many, many, "auroc", repeats=100, seed=1)
    assert (told.value, told.low, told.n) == (0.0, None, 90)
    assert "agree" in told.reason
    few = drawn(np.random.default_rng(10), 20)
    told = paired_difference(few, few, "auroc", repeats=100, seed=1)
    assert told.low < told.value == 0.0 < told.high


def test_a_paired_difference_needs_the_same_cases():
    a = drawn(np.random.default_rng(11), 20)
    with pytest.raises(RunError, match="same cases"):
        paired_difference(a, rearranged(a, np.arange(20)[::-1]), "auroc", seed=1)
    with pytest.raises(RecipeError, match="did you mean 'auroc'"):
        paired_difference(a, a, "aurok", seed=1)
