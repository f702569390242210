import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn import metrics as oracle

from wholecase.evaluation import (
    auroc,
    confusion,
    decision_curve,
    expected_calibration_error,
    precision_recall,
    reliability,
    roc,
)


@st.composite
def scored(draw):
    m = draw(st.integers(2, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate(([0, 1], rng.integers(2, size=m - 2)))
    return truth, rng.integers(0, draw(st.integers(2, 30)), size=m) / 30


@given(data=scored())
@settings(max_examples=60, deadline=None)
def test_roc_has_the_points_of_scikit_learn_and_thresholds_that_give_them(data):
    truth, score = data
    curve = roc(truth, score)
    x, y, _ = oracle.roc_curve(truth, score, drop_intermediate=False)
    assert curve.x == pytest.approx(x)
    assert curve.y == pytest.approx(y)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(auroc(truth == 1, score))
    for fpr, tpr, t in zip(curve.x, curve.y, curve.thresholds, strict=True):
        assert tpr == pytest.approx((score[truth == 1] > t).mean())
        assert fpr == pytest.approx((score[truth == 0] > t).mean())


@given(data=scored())
@settings(max_examples=60, deadline=None)
def test_precision_recall_steps_hold_the_average_precision(data):
    truth, score = data
    curve = precision_recall(truth, score)
    area = (np.diff(curve.x, prepend=0) * curve.y).sum()
    assert area == pytest.approx(oracle.average_precision_score(truth, score))
    for recall, precision, t in zip(curve.x, curve.y, curve.thresholds, strict=True):
        assert recall == pytest.approx((score[truth == 1] > t).mean())
        assert precision == pytest.approx((truth[score > t] == 1).mean())


@pytest.mark.parametrize("curve", [roc, precision_recall])
@pytest.mark.parametrize("only", [0, 1])
def test_one_class_draws_nothing(curve, only):
    assert len(curve(np.full(3, only), np.array([0.1, 0.5, 0.9])).x) == 0


@given(data=scored(), bins=st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_reliability_agrees_with_a_loop(data, bins):
    truth, probability = data
    points = reliability(truth, probability, bins)
    whose = np.minimum(np.floor(probability * bins), bins - 1)
    held = sorted(set(whose))
    assert len(points.count) == len(held)
    error = 0.0
    for i, b in enumerate(held):
        inside = whose == b
        wilson = binomtest(int(truth[inside].sum()), int(inside.sum())).proportion_ci(
            method="wilson"
        )
        assert points.predicted[i] == pytest.approx(probability[inside].mean())
        assert points.observed[i] == pytest.approx(truth[inside].mean())
        assert (points.low[i], points.high[i]) == pytest.approx((wilson.low, wilson.high), abs=1e-6)
        assert points.count[i] == inside.sum()
        error += inside.mean() * abs(truth[inside].mean() - probability[inside].mean())
    assert expected_calibration_error(truth, probability, bins) == pytest.approx(error)


def test_a_certain_answer_lies_in_the_last_bin():
    points = reliability(np.array([1, 1]), np.array([1.0, 0.95]))
    assert points.count.tolist() == [2]


def test_confusion_agrees_with_scikit_learn():
    rng = np.random.default_rng(0)
    truth, decision = rng.integers(4, size=50), rng.integers(3, size=50)
    expected = oracle.confusion_matrix(truth, decision, labels=range(5))
    assert (confusion(truth, decision, 5) == expected).all()


@given(data=scored())
@settings(max_examples=30, deadline=None)
def test_net_benefit_agrees_with_a_count_case_by_case(data):
    truth, probability = data
    patients = tuple(str(i // 2) for i in range(len(truth)))
    curve = decision_curve(truth, probability, patients, repeats=20, seed=1)
    assert curve.thresholds == pytest.approx([i / 100 for i in range(1, 100)])
    for i, t in enumerate(curve.thresholds.tolist()):
        gained = everybody = 0.0
        for y, p in zip(truth.tolist(), probability.tolist(), strict=True):
            worth = 1.0 if y else -t / (1 - t)
            everybody += worth / len(truth)
            gained += worth / len(truth) if p > t else 0.0
        assert curve.model[i] == pytest.approx(gained)
        assert curve.everybody[i] == pytest.approx(everybody)


def test_calling_everybody_breaks_even_at_the_share_of_the_class():
    truth = np.array([1, 0, 0, 0])
    curve = decision_curve(truth, np.full(4, 0.999), ("a", "b", "c", "d"), repeats=10, seed=1)
    assert curve.everybody[24] == pytest.approx(0)  # at 0.25
    assert curve.model == pytest.approx(curve.everybody)


def test_the_band_of_net_benefit_draws_whole_patients_however_many_cases_they_have():
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 6, size=25)
    whose = np.repeat(np.arange(25), sizes)
    truth = rng.integers(2, size=25)[whose]  # cases of a patient are alike
    probability = np.clip(0.3 * truth + 0.7 * rng.random(25)[whose], 0, 1)
    curve = decision_curve(truth, probability, tuple(map(str, whose)), repeats=4000, seed=1)
    worth = np.where(truth == 1, 1.0, -0.3 / 0.7) * (probability > 0.3)
    redrawn = []
    for _ in range(4000):
        drawn = np.concatenate([worth[whose == p] for p in rng.integers(25, size=25)])
        redrawn.append(drawn.mean())
    ends = np.quantile(redrawn, [0.025, 0.975])
    assert (curve.low[29], curve.high[29]) == pytest.approx(ends, abs=0.02)
    assert (curve.low <= curve.model).all()
    assert (curve.model <= curve.high).all()
