"""How often intervals hold the truth, by simulation: cohorts are drawn from a known population."""

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import norm

from wholecase.evaluation import METRICS, Scores, mean_interval, measure, paired_difference

GAP = 1.5
"""Between the log odds of the classes, each with a deviation of 1."""
JUDGED = ("accuracy", "sensitivity", "auroc", "balanced_accuracy", "f1", "brier")
SIZES = (2, 3, 5, 10, 20, 50)


def drawn(rng, patients, harder=0.0):
    """Half positive, as far as that goes; log odds are said twice as sure as they should be."""
    truth = np.arange(patients) % 2
    shared = rng.normal(size=patients)
    names = tuple(f"p{i:03}" for i in range(patients))
    for own in (0.0, harder) if harder else (0.0,):
        score = GAP * (truth - 0.5) + np.sqrt(1 - own**2) * shared + own * rng.normal(size=patients)
        positive = expit(2 * GAP * score)
        both = np.stack((1 - positive, positive), axis=1)
        yield Scores(truth, both, (positive > 0.5).astype(int), names)


def population(patients):
    """Of an endless cohort with the same mix of classes."""
    hit = norm.cdf(GAP / 2)
    share = patients // 2 / patients
    (many,) = drawn(np.random.default_rng(0), 400_000)
    miss = (many.probabilities[:, 1] - many.truth) ** 2
    means = [miss[many.truth == c].mean() for c in (0, 1)]
    overlap = share * hit / (share + (1 - share) * (1 - hit))
    return {
        "accuracy": hit,
        "sensitivity": hit,
        "balanced_accuracy": hit,
        "auroc": norm.cdf(GAP / np.sqrt(2)),
        "f1": 2 * overlap / (1 + overlap),
        "brier": (1 - share) * means[0] + share * means[1],
    }


def covered(monkeypatch, patients, times):
    """How often each interval holds the population's value."""
    table = {name: METRICS[name] for name in JUDGED}
    monkeypatch.setattr("wholecase.evaluation.intervals.METRICS", table)
    rng, truth = np.random.default_rng(patients), population(patients)
    held = dict.fromkeys(JUDGED, 0)
    for i in range(times):
        (scores,) = drawn(rng, patients)
        for name, told in measure(scores, repeats=200, seed=i).items():
            held[name] += told.low <= truth[name] <= told.high
    return {name: count / times for name, count in held.items()}


def covered_differences(patients, times, metric):
    """How often the interval of two equally good judges holds nought."""
    rng, held = np.random.default_rng(patients), 0
    for i in range(times):
        told = paired_difference(*drawn(rng, patients, harder=0.6), metric, repeats=200, seed=i)
        # judges that agree throughout say nothing against nought
        held += told.low is None or told.low <= 0 <= told.high
    return held / times


def covered_means(patients, times, within=None):
    rng, held = np.random.default_rng(patients), 0
    for i in range(times):
        values = rng.uniform(-1, 1, size=patients)
        names = tuple(f"p{k:03}" for k in range(patients))
        told = mean_interval(values, names, within=within, repeats=200, seed=i)
        held += told.low <= 0 <= told.high
    return held / times


@pytest.mark.parametrize("patients", SIZES)
def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch, patients):
    found = covered(monkeypatch, patients, 100)
    # 0.95 less three deviations of 100 tries
    assert min(found.values()) >= 0.885, found


@pytest.mark.parametrize("patients", [2, 5, 20])
def test_paired_differences_hold_the_truth(patients):
    for metric in ("auroc", "accuracy", "brier"):
        assert covered_differences(patients, 60, metric) >= 0.87, metric


@pytest.mark.parametrize("patients", SIZES)
def test_means_hold_the_truth(patients):
    assert covered_means(patients, 100) >= 0.885
    assert covered_means(patients, 100, within=(-1.0, 1.0)) >= 0.885


@pytest.mark.slow
@pytest.mark.parametrize("patients", [*SIZES, 30, 100])
def test_intervals_hold_the_truth_in_many_tries(monkeypatch, patients):
    found = covered(monkeypatch, patients, 1500)
    print(patients, found)  # the table of decision 15
    assert min(found.values()) >= 0.91, found


@pytest.mark.slow
@pytest.mark.parametrize("patients", [*SIZES, 100])
def test_differences_and_means_hold_the_truth_in_many_tries(patients):
    found = {m: covered_differences(patients, 500, m) for m in ("auroc", "accuracy", "brier")}
    found |= {"mean": covered_means(patients, 1000)}
    found |= {"mean within": covered_means(patients, 1000, within=(-1.0, 1.0))}
    print(patients, found)
    # redraws of 50 skewed differences hold nought nine times in ten
    assert min(found.values()) >= 0.88, found
