"""What can be set aside, against a slow search; and what that says of other patients."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholecase.triage.set_aside import (
    SENSITIVITIES,
    cutoff_for,
    held_out,
    set_asides,
    weighted_share,
)

risks = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6).map(lambda n: n / 6), st.integers(0, 5)),
    min_size=1,
    max_size=14,
)
Cases = list[tuple[bool, float, int]]


def columns(cases: Cases) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    positive, risk, patient = zip(*cases, strict=True)
    return np.array(positive), np.array(risk), tuple(f"p{number}" for number in patient)


def searched(positive: np.ndarray, risk: np.ndarray, wanted: float) -> float | None:
    """Try every risk, keep the highest that misses few enough."""
    if not positive.any():
        return None
    return max(c for c in risk if (risk[positive] >= c).mean() >= wanted - 1e-12)


@given(risks, st.sampled_from([*SENSITIVITIES, 0.5, 0.8]))
def test_the_cutoff_is_the_highest_that_keeps_the_sensitivity(cases: Cases, wanted: float) -> None:
    positive, risk, _ = columns(cases)
    cutoff = cutoff_for(positive, risk, wanted)
    best = searched(positive, risk, wanted)
    if best is None:
        assert cutoff is None
        return
    assert cutoff is not None
    # no positive lies between the two: they set the same cases aside but for negatives
    assert (risk[positive] >= cutoff).mean() >= wanted - 1e-12
    assert cutoff in risk[positive]
    assert (risk[positive] >= best).sum() == (risk[positive] >= cutoff).sum()


@given(risks, st.sampled_from([*SENSITIVITIES, 0.5]), st.data())
def test_weights_are_cases_that_are_there_several_times(
    cases: Cases, wanted: float, data: st.DataObject
) -> None:
    positive, risk, _ = columns(cases)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(risk), max_size=len(risk))))
    (told,) = weighted_share(positive, risk, wanted, times[None].astype(np.float64))
    repeated, again = np.repeat(positive, times), np.repeat(risk, times)
    cutoff = cutoff_for(repeated, again, wanted)
    if cutoff is None:
        assert np.isnan(told)
    else:
        assert told == pytest.approx((again < cutoff).mean())


@given(risks, st.sampled_from(SENSITIVITIES))
def test_held_out_never_sees_the_own_patient(cases: Cases, wanted: float) -> None:
    positive, risk, patients = columns(cases)
    aside = held_out(positive, risk, patients, wanted)
    for i, patient in enumerate(patients):
        others = [j for j, other in enumerate(patients) if other != patient]
        cutoff = cutoff_for(positive[others], risk[others], wanted)
        if cutoff is None:
            assert np.isnan(aside[i])
        else:
            assert aside[i] == (risk[i] < cutoff)


def test_ties_are_read_together() -> None:
    positive = np.array([True, True, False, False])
    risk = np.array([0.5, 0.5, 0.5, 0.2])
    assert cutoff_for(positive, risk, 0.5) == 0.5
    (share,) = weighted_share(positive, risk, 0.5, np.ones((1, 4)))
    assert share == 0.25


def test_ninety_five_of_twenty_are_nineteen() -> None:
    positive = np.ones(20, bool)
    assert cutoff_for(positive, np.arange(20) / 20, 0.95) == 1 / 20
    assert cutoff_for(positive, np.arange(20) / 20, 0.98) == 0.0


def test_the_lowest_positive_is_missed_by_a_cutoff_of_the_others() -> None:
    risk = np.concatenate([np.linspace(0.4, 1.0, 10), np.linspace(0.0, 0.6, 20)])
    positive = np.arange(30) < 10
    patients = tuple(f"p{i}" for i in range(30))
    told = {one.sensitivity: one for one in set_asides(positive, risk, patients, seed=1)}
    certain = told[1.0]
    assert certain.cutoff == pytest.approx(0.4)
    assert certain.share.value == pytest.approx((risk < 0.4).mean())
    assert certain.held_out_sensitivity.value == pytest.approx(0.9)  # honest: not 100 %
    assert certain.held_out_sensitivity.n == 10
    assert certain.held_out_share.value == pytest.approx((risk < 0.4).mean() + 1 / 30)
    low, high = certain.share.low, certain.share.high
    assert low is not None
    assert high is not None
    assert low < certain.share.value < high
    assert [one.sensitivity for one in told.values()] == [0.95, 0.98, 1.0]


def test_perfection_among_few_is_bounded() -> None:
    positive, risk = np.arange(12) < 6, np.where(np.arange(12) < 6, 0.9, 0.1)
    (_, _, told) = set_asides(positive, risk, tuple(map(str, range(12))), seed=1)
    assert told.held_out_sensitivity.value == 1.0
    assert told.held_out_sensitivity.low == pytest.approx(0.025 ** (1 / 6))
    assert told.share.value == 0.5


def test_without_a_positive_nothing_is_promised() -> None:
    told = set_asides(np.zeros(5, bool), np.linspace(0, 1, 5), tuple("abcde"), seed=1)
    for one in told:
        assert one.cutoff is None
        assert one.share.value is None
        assert one.held_out_sensitivity.value is None


def test_intervals_hold_what_they_promise() -> None:
    """The share that a large cohort has lies in nine of ten intervals of small ones, or more."""
    rng = np.random.default_rng(3)

    def draw(count: int) -> tuple[np.ndarray, np.ndarray]:
        positive = rng.random(count) < 0.4
        return positive, np.clip(rng.normal(np.where(positive, 0.7, 0.3), 0.15), 0, 1)

    positive, risk = draw(200_000)
    (truth,) = weighted_share(positive, risk, 0.95, np.ones((1, len(risk))))
    hits = 0
    for number in range(40):
        positive, risk = draw(120)
        patients = tuple(map(str, range(120)))
        share = set_asides(positive, risk, patients, seed=number, repeats=200)[0].share
        assert share.low is not None
        assert share.high is not None
        hits += share.low <= truth <= share.high
    assert hits >= 0.85 * 40
