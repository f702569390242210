"""Are probabilities right on the whole, and how many patients make a figure sure?"""

import numpy as np
import pytest
from scipy.special import expit, logit

from wholecase.core.errors import RunError
from wholecase.evaluation import (
    METRICS,
    error_if_honest,
    integrated_index,
    observed_expected,
    plan,
)
from wholecase.evaluation.bounds import bounded_mean, of_ranks


def drawn(rng, cases, distort=lambda odds: odds):
    odds = rng.normal(-0.5, 1.2, cases)
    truth = (rng.random(cases) < expit(odds)).astype(int)
    return truth, expit(distort(odds)), tuple(f"p{i}" for i in range(cases))


def test_as_many_positives_as_announced_is_one():
    truth, said, patients = drawn(np.random.default_rng(0), 20_000)
    assert observed_expected(truth, said, patients).value == pytest.approx(1, abs=0.03)
    low = observed_expected(truth, said / 2, patients)
    assert low.value == pytest.approx(2, abs=0.06)
    assert low.low < low.value < low.high


def test_its_interval_holds_the_truth():
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        told = observed_expected(*drawn(rng, 80))
        held += told.low <= 1 <= told.high
    assert held / 300 >= 0.93


def test_the_smooth_distance_is_small_where_honest_and_what_was_distorted_elsewhere():
    rng = np.random.default_rng(2)
    truth, said, _ = drawn(rng, 4000)
    assert integrated_index(truth, said) < 0.02
    bent = expit(2 * logit(said) + 0.5)
    assert integrated_index(truth, bent) == pytest.approx(np.abs(said - bent).mean(), abs=0.02)


def test_too_few_cases_have_no_smooth_curve():
    truth, said, _ = drawn(np.random.default_rng(3), 15)
    assert integrated_index(truth, said) is None
    assert integrated_index(np.arange(60) % 2, np.full(60, 0.5)) is None


def test_honest_probabilities_show_the_error_that_is_announced():
    rng, seen = np.random.default_rng(4), []
    _, said, _ = drawn(rng, 60)
    rows = np.stack([1 - said, said], 1)
    for _ in range(300):
        truth = (rng.random(60) < said).astype(int)
        seen.append(METRICS["ece"](truth, rows, truth))
    assert error_if_honest(said, 1) == pytest.approx(np.mean(seen), abs=0.01)
    assert error_if_honest(np.tile(said, 40), 1) < error_if_honest(said, 1) / 3


@pytest.mark.parametrize(("folds", "prevalence"), [(1, 0.5), (5, 0.3), (10, 0.06)])
def test_a_plan_is_the_least_number_that_is_sure_enough(folds, prevalence):
    told = {
        one.figure: one
        for one in plan(
            0.05, auroc=0.8, sensitivity=0.85, specificity=0.9, prevalence=prevalence, folds=folds
        )
    }
    for one in told.values():
        assert (one.high - one.low) / 2 <= 0.05
        assert one.low < one.value < one.high
        assert one.positives == round(one.patients * prevalence)
    fewer = told["AUROC"].patients - 1
    side = fewer * prevalence / folds, fewer * (1 - prevalence) / folds
    low, high = of_ranks(0.8, [side] * folds, 0.05)
    assert (high - low) / 2 > 0.05
    low, high = bounded_mean(0.85, (told["sensitivity"].patients - 1) * prevalence, 0.05)
    assert (high - low) / 2 > 0.05


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prevalence": 0.0}, "the prevalence"),
        ({"auroc": 1.0}, "the AUROC"),
        ({"folds": 0}, "0 folds"),
    ],
)
def test_what_cannot_be_planned_is_refused(change, says):
    asked = {"auroc": 0.8, "sensitivity": 0.8, "specificity": 0.8, "prevalence": 0.5, "folds": 5}
    with pytest.raises(RunError, match=says):
        plan(0.05, **asked | change)
