import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.evaluation import THRESHOLDS


def merit(name, truth, decided):
    tp, fp = ((truth == 1) & decided).sum(), ((truth == 0) & decided).sum()
    positives, negatives = (truth == 1).sum(), (truth == 0).sum()
    return 2 * tp / (positives + tp + fp) if name == "f1" else tp / positives - fp / negatives


@st.composite
def two_classes(draw):
    m = draw(st.integers(2, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate(([0, 1], rng.integers(2, size=m - 2)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return truth, (rng.integers(0, draw(st.integers(2, 40)), size=m) / 40).astype(dtype)


@pytest.mark.parametrize("name", ["f1", "youden"])
@given(data=two_classes())
@settings(max_examples=80, deadline=None)
def test_no_cut_between_scores_is_better(name, data):
    truth, probability = data
    distinct = np.unique(probability)
    threshold = THRESHOLDS[name](truth, probability)
    if len(distinct) == 1:
        assert threshold == 0.5
        return
    best = max(merit(name, truth, probability > t) for t in distinct[:-1])
    assert merit(name, truth, probability > threshold) == pytest.approx(best)


@pytest.mark.parametrize("name", ["f1", "youden"])
def test_the_middle_of_the_widest_best_range(name):
    truth = np.array([0, 0, 1, 1])
    assert THRESHOLDS[name](truth, np.array([0.1, 0.3, 0.7, 0.8])) == pytest.approx(0.5)


def test_of_two_best_ranges_the_wider_one():
    # Youden's index is 1/2 above 0.1 (both found, one wrong) and above 0.5 (one found, none wrong)
    truth, probability = np.array([0, 1, 0, 1]), np.array([0.1, 0.3, 0.5, 0.9])
    assert THRESHOLDS["youden"](truth, probability) == pytest.approx(0.7)


def test_neighbouring_gaps_that_are_equally_good_are_one_range():
    # at 0.4 one of each class changes side, which Youden's index does not feel
    truth, probability = np.array([0, 0, 1, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.9, 0.2, 0.95])
    assert merit("youden", truth, probability > 0.3) == pytest.approx(2 / 3)
    assert merit("youden", truth, probability > 0.6) == pytest.approx(2 / 3)
    assert THRESHOLDS["youden"](truth, probability) == pytest.approx((0.2 + 0.9) / 2)


@pytest.mark.parametrize("name", THRESHOLDS)
@pytest.mark.parametrize("only", [0, 1])
def test_one_class_says_nothing(name, only):
    assert THRESHOLDS[name](np.full(3, only), np.array([0.1, 0.2, 0.3])) == 0.5


@pytest.mark.parametrize("name", ["f1", "youden"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_neighbours_in_precision_are_still_told_apart(name, dtype):
    low = dtype(0.3)
    probability = np.array([low, np.nextafter(low, dtype(1))])
    threshold = THRESHOLDS[name](np.array([0, 1]), probability)
    assert (probability > threshold).tolist() == [False, True]
