"""A zone in which cases are referred, and sets that hold the truth as often as they say."""

import numpy as np
import pytest
from scipy.special import expit

from wholecase.evaluation import set_limits, sets_of, zone_of


def drawn(rng, cases, gap=0.8):
    truth = np.arange(cases) % 2
    return truth, expit(2 * gap * (truth - 0.5) + rng.normal(size=cases))


def test_below_the_zone_few_positives_lie_and_above_it_few_negatives():
    truth, said = drawn(np.random.default_rng(0), 400)
    zone = zone_of(truth, said)
    assert (said[truth == 1] > zone.low).mean() >= 0.95
    assert (said[truth == 0] > zone.high).mean() <= 0.05
    assert zone.low < zone.high
    # no narrower zone does
    positives, negatives = np.sort(said[truth == 1]), np.sort(said[truth == 0])
    higher = positives[np.searchsorted(positives, zone.low, side="right")]
    assert (said[truth == 1] > higher).mean() < 0.95
    lower = negatives[np.searchsorted(negatives, zone.high) - 1]
    assert (said[truth == 0] > lower).mean() > 0.05


def test_outside_the_zone_new_cases_are_decided_better_than_within():
    rng = np.random.default_rng(1)
    zone = zone_of(*drawn(rng, 400))
    truth, said = drawn(rng, 4000)
    inside = zone.holds(said)
    right = (said > 0.5) == (truth == 1)
    assert 0.1 < inside.mean() < 0.9
    assert right[~inside].mean() > right.mean() + 0.05 > right[inside].mean() + 0.1


def test_classes_that_are_apart_refer_nobody_and_few_cases_have_no_zone():
    truth = np.arange(60) % 2
    zone = zone_of(truth, 0.1 + 0.8 * truth)
    assert not zone.holds(0.1 + 0.8 * truth).any()
    assert zone_of(truth[:20], 0.1 + 0.8 * truth[:20]) is None
    assert zone_of(np.zeros(60, int), np.linspace(0, 1, 60)) is None


@pytest.mark.parametrize("cases", [40, 80])
def test_sets_hold_each_class_as_often_as_they_say(cases):
    rng, held = np.random.default_rng(2), np.zeros(2)
    for _ in range(200):
        truth, said = drawn(rng, cases)
        limits = set_limits(truth, np.stack([1 - said, said], 1), [str(i) for i in range(cases)])
        new, asked = drawn(rng, 200)
        sets = sets_of(np.stack([1 - asked, asked], 1), limits)
        held += [sets[new == c, c].mean() for c in (0, 1)]
    assert (held / 200 >= 0.9 - 0.01).all(), held / 200
    assert (held / 200 <= 0.97).all(), held / 200


def test_a_class_of_which_nothing_can_be_promised_is_in_every_set():
    truth = np.array([0] * 30 + [1] * 8)
    said = np.linspace(0.05, 0.95, 38)
    rows = np.stack([1 - said, said], 1)
    limits = set_limits(truth, rows, [str(i) for i in range(38)])
    assert limits[1] == 0
    assert limits[0] > 0
    assert sets_of(rows, limits)[:, 1].all()


def test_a_patient_counts_once_by_the_worst_case():
    truth, said = drawn(np.random.default_rng(3), 80)
    rows = np.stack([1 - said, said], 1)
    each = set_limits(truth, rows, [str(i) for i in range(80)])
    pairs = set_limits(truth, rows, [str(i // 4 * 2 + i % 2) for i in range(80)])
    assert (pairs <= each).all()
