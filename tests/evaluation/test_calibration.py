import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from wholecase.evaluation import (
    METRICS,
    apply_temperature,
    bias_corrected,
    calibration_intercept,
    calibration_slope,
    expected_calibration_error,
    fit_temperature,
    smoothed_temperature,
    undo_temperature,
)


def overconfident(rng, cases, classes, by):
    honest = rng.dirichlet(np.ones(classes), size=cases)
    truth = np.array([rng.choice(classes, p=row) for row in honest])
    return truth, apply_temperature(honest, 1 / by)


@pytest.mark.parametrize("by", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("classes", [2, 4])
def test_finds_the_temperature_that_was_put_in(by, classes):
    truth, probabilities = overconfident(np.random.default_rng(0), 4000, classes, by)
    assert fit_temperature(truth, probabilities) == pytest.approx(by, rel=0.1)


def test_agrees_with_scipy():
    truth, probabilities = overconfident(np.random.default_rng(1), 40, 3, 2.0)

    def loss(log_t):
        scaled = apply_temperature(probabilities, float(np.exp(log_t)))
        return -np.log(scaled[np.arange(40), truth]).sum() + (log_t / 0.5) ** 2 / 2

    best = minimize_scalar(loss, bounds=(np.log(0.25), np.log(8)), method="bounded")
    assert fit_temperature(truth, probabilities) == pytest.approx(np.exp(best.x), abs=1e-3)


def test_few_or_separated_cases_do_not_go_to_the_edge():
    separated = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.1, 0.9]])
    assert 0.5 < fit_temperature(np.array([0, 0, 1, 1]), separated) < 1
    assert 1 < fit_temperature(np.array([1]), np.array([[0.99, 0.01]])) < 8
    assert fit_temperature(np.zeros(0, int), np.zeros((0, 2))) == pytest.approx(1)


def test_certain_and_wrong_stays_finite_and_in_bounds():
    wrong = np.tile([[1.0, 0.0]], (500, 1)).astype(np.float32)
    assert fit_temperature(np.ones(500, int), wrong) == pytest.approx(8, abs=1e-3)
    assert fit_temperature(np.zeros(500, int), np.tile([[0.6, 0.4]], (500, 1))) < 0.26


@given(seed=st.integers(0, 10**6), classes=st.integers(2, 5), temperature=st.floats(0.25, 8))
@settings(max_examples=50, deadline=None)
def test_keeps_sums_and_the_answer(seed, classes, temperature):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(classes, 0.1), size=20)
    calibrated = apply_temperature(probabilities, temperature)
    assert np.isfinite(calibrated).all()
    assert calibrated.sum(axis=1) == pytest.approx(np.ones(20))
    assert (calibrated.argmax(axis=1) == probabilities.argmax(axis=1)).all()


@given(seed=st.integers(0, 10**6), temperature=st.floats(0.25, 8))
@settings(max_examples=50, deadline=None)
def test_keeps_the_order_of_two_classes(seed, temperature):
    # rows from log odds: near 1, doubles no longer tell apart what the other class still does
    odds = np.sort(np.random.default_rng(seed).normal(scale=8, size=20))
    probabilities = np.stack([1 / (1 + np.exp(odds)), 1 / (1 + np.exp(-odds))], axis=1)
    calibrated = apply_temperature(probabilities, temperature)
    assert (np.diff(calibrated[:, 1]) >= -1e-15).all()


def test_one_changes_nothing_and_zero_stays_zero():
    probabilities = np.array([[0.0, 1.0], [1e-30, 1.0], [0.3, 0.7]])
    assert apply_temperature(probabilities, 1.0) == pytest.approx(probabilities, rel=1e-9)


@pytest.mark.parametrize("cases", [30, 400])
@pytest.mark.parametrize("stretch", [0.2, 1.0, 6.0])
def test_the_slope_is_that_of_a_logistic_regression(cases, stretch):
    rng = np.random.default_rng(cases)
    odds = rng.normal(size=cases)
    truth = (rng.random(cases) < 1 / (1 + np.exp(-odds))).astype(int)
    said = 1 / (1 + np.exp(-stretch * odds - 1))
    logit = np.log(said / (1 - said))[:, None]
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(logit, truth)
    assert calibration_slope(truth, said) == pytest.approx(oracle.coef_[0, 0], rel=1e-3)


def test_the_slope_tells_too_sure_from_too_timid():
    rng = np.random.default_rng(0)
    odds = rng.normal(scale=2, size=20_000)
    truth = (rng.random(20_000) < 1 / (1 + np.exp(-odds))).astype(int)
    for stretch in (0.5, 1.0, 3.0):
        said = 1 / (1 + np.exp(-stretch * odds))
        assert calibration_slope(truth, said) == pytest.approx(1 / stretch, rel=0.05)


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]),
        ([1, 1, 0, 0], [0.1, 0.2, 0.6, 0.9]),
        ([0, 1, 0, 1], [0.4, 0.4, 0.4, 0.4]),
        ([1, 1], [0.2, 0.4]),
    ],
)
def test_there_is_no_slope_where_none_fits_best(truth, said):
    assert np.isnan(calibration_slope(np.array(truth), np.array(said)))


def patients_of(cases):
    return tuple(f"p{i:04}" for i in range(cases))


@pytest.mark.parametrize("by", [0.5, 2.0, 4.0])
def test_of_many_cases_the_smoothed_temperature_is_the_fitted_one(by):
    truth, probabilities = overconfident(np.random.default_rng(0), 3000, 3, by)
    told = smoothed_temperature(truth, probabilities, patients_of(3000))
    assert told.value == pytest.approx(by, rel=0.1)
    assert told.low < by < told.high


def test_of_few_honest_cases_it_stays_nearer_to_one_than_the_fitted():
    ours, fitted = [], []
    for seed in range(20):
        truth, probabilities = overconfident(np.random.default_rng(seed), 15, 2, 1.0)
        told = smoothed_temperature(truth, probabilities, patients_of(15))
        ours.append(abs(np.log(told.value)))
        fitted.append(abs(np.log(fit_temperature(truth, probabilities))))
    assert np.mean(ours) < 0.8 * np.mean(fitted)
    assert smoothed_temperature(np.zeros(0, int), np.zeros((0, 2)), ()).value == 1.0


def test_the_intercept_is_what_all_odds_lack():
    rng = np.random.default_rng(1)
    odds = rng.normal(size=20_000)
    truth = (rng.random(20_000) < 1 / (1 + np.exp(-odds))).astype(int)
    said = 1 / (1 + np.exp(-(odds - 0.7)))
    assert calibration_intercept(truth, said) == pytest.approx(0.7, abs=0.05)
    assert np.isnan(calibration_intercept(np.ones(3, int), np.array([0.2, 0.3, 0.4])))


@pytest.mark.parametrize("cases", [60, 300])
def test_the_metrics_are_the_functions(cases):
    rng = np.random.default_rng(2)
    truth, probabilities = overconfident(rng, cases, 2, 2.0)
    decision, said = probabilities.argmax(axis=1), probabilities[:, 1]
    told = {name: metric(truth, probabilities, decision) for name, metric in METRICS.items()}
    error = expected_calibration_error(truth, said, 5 if cases < 100 else 10)
    assert told["ece"] == pytest.approx(error)
    assert told["calibration_slope"] == calibration_slope(truth, said)
    assert told["calibration_intercept"] == calibration_intercept(truth, said)


@pytest.mark.parametrize("classes", [2, 3])
def test_a_known_temperature_and_shift_are_found_again(classes):
    rng = np.random.default_rng(classes)
    honest = rng.dirichlet(np.ones(classes), 20_000)
    truth = np.array([rng.choice(classes, p=row) for row in honest])
    moved = np.linspace(-0.6, 0.6, classes).tolist()
    said = undo_temperature(honest, 2.0, moved)
    temperature, shift = bias_corrected(truth, said)
    assert temperature == pytest.approx(2.0, rel=0.05)
    assert np.diff(shift) == pytest.approx(np.diff(moved), abs=0.08)
    assert apply_temperature(said, temperature, shift).mean(0) == pytest.approx(
        np.bincount(truth) / 20_000, abs=0.01
    )


def test_few_cases_hardly_move_anything_and_none_nothing():
    temperature, shift = bias_corrected(np.array([1]), np.array([[0.6, 0.4]]))
    assert 0.5 < temperature < 2
    assert 0 < shift[1] - shift[0] < 0.5
    temperature, shift = bias_corrected(np.zeros(0, int), np.zeros((0, 2)))
    assert (temperature, shift) == (pytest.approx(1), pytest.approx((0, 0)))


def test_the_fit_is_the_lowest_of_a_grid():
    rng = np.random.default_rng(3)
    truth = (rng.random(60) < 0.3).astype(int)
    positive = 1 / (1 + np.exp(-(2 * truth - 1 + 2 * rng.normal(size=60))))
    rows = np.stack([1 - positive, positive], 1)

    def cost(temperature, moved):
        told = apply_temperature(rows, temperature, (-moved / 2, moved / 2))
        misfit = -np.log(told[np.arange(60), truth]).sum()
        prior = (np.log(temperature) / 0.5) ** 2 + 2 * (moved / 2 / 0.35) ** 2
        return misfit + prior / 2

    temperature, (low, high) = bias_corrected(truth, rows)
    grid = [cost(np.exp(t), b) for t in np.linspace(-1, 1.5, 60) for b in np.linspace(-2, 2, 60)]
    assert cost(temperature, high - low) <= min(grid) + 1e-9
