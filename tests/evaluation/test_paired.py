"""Two judges of the same cases: DeLong, McNemar and what they have in common."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from wholecase.core.errors import RunError
from wholecase.evaluation import Scores, areas, auroc, delong, mcnemar, overlap
from wholecase.evaluation.mcnemar import p_of, tango

# DeLong et al. 1988: albumin, total protein, K-G score, outcome of 43 patients with ovarian cancer
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1
3.8 5.7 5 1 3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0
2.3 4.4 6 1 4.2 7.6 4 0 4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1
3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1 4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0
3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1 2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1
3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""


def ovarian():
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4) * [1, 1, -1, 1]
    return table[:, 3] == 1, table[:, :3], alone(len(table))


def alone(cases):
    return tuple(f"p{i}" for i in range(cases))


def drawn(rng, cases=60, judges=2):
    positive = rng.random(cases) < 0.4
    shared = rng.normal(size=(cases, 1))
    scores = np.round(shared + rng.normal(size=(cases, judges)) + positive[:, None], 1)
    return positive, scores


def naive(positive, scores, patients):
    """Areas and covariance over all pairs, after Obuchowski 1997, a loop a patient."""

    def kernel(x, y):
        return 1.0 if x > y else 0.5 if x == y else 0.0

    high, low = np.flatnonzero(positive), np.flatnonzero(~positive)
    judges = range(scores.shape[1])
    v10 = [
        [np.mean([kernel(scores[i, j], scores[k, j]) for k in low]) for i in high] for j in judges
    ]
    v01 = [
        [np.mean([kernel(scores[i, j], scores[k, j]) for i in high]) for k in low] for j in judges
    ]
    values = [np.mean(v) for v in v10]
    people = sorted(set(patients))
    at = [
        [
            sum(v - values[j] for v, i in zip(v10[j], high, strict=True) if patients[i] == p)
            for p in people
        ]
        for j in judges
    ]
    of = [
        [
            sum(v - values[j] for v, k in zip(v01[j], low, strict=True) if patients[k] == p)
            for p in people
        ]
        for j in judges
    ]
    i10, i01 = (len({patients[i] for i in side}) for side in (high, low))
    m, n, every = len(high), len(low), len(people)
    s10, s01, s11 = (np.zeros((len(judges),) * 2) for _ in range(3))
    for a, b in product(judges, judges):
        s10[a, b] = i10 / ((i10 - 1) * m) * np.dot(at[a], at[b])
        s01[a, b] = i01 / ((i01 - 1) * n) * np.dot(of[a], of[b])
        s11[a, b] = every / (every - 1) * np.dot(at[a], of[b])
    return np.array(values), s10 / m + s01 / n + (s11 + s11.T) / (m * n)


def test_delong_gives_the_published_values_of_its_own_example():
    both = areas(*ovarian())
    assert both.values == pytest.approx([0.7366, 0.6478, 0.7258], abs=5e-5)
    assert np.sqrt(np.diag(both.covariance)) == pytest.approx([0.0927, 0.1000, 0.1028], abs=5e-5)
    contrast = np.array([[1, 0, -1], [0, 1, -1]])
    gaps, spread = contrast @ both.values, contrast @ both.covariance @ contrast.T
    assert gaps @ np.linalg.solve(spread, gaps) == pytest.approx(2.5340, abs=5e-5)
    positive, scores, patients = ovarian()
    told = delong(positive, scores[:, [0, 2]], patients)
    ends = told.difference.low, told.difference.high
    assert (told.difference.value, *ends) == pytest.approx((0.0108, -0.1761, 0.1976), abs=5e-5)
    assert told.p == pytest.approx(0.9102, abs=5e-5)


@pytest.mark.parametrize("each", [1, 3])
def test_delong_agrees_with_all_pairs_one_by_one_also_where_patients_have_several_cases(each):
    rng = np.random.default_rng(each)
    positive, scores = drawn(rng)
    patients = tuple(f"p{i // each}" for i in range(len(positive)))
    ours, (values, covariance) = (
        areas(positive, scores, patients),
        naive(positive, scores, patients),
    )
    assert ours.values == pytest.approx(values)
    assert ours.values[1] == pytest.approx(auroc(positive, scores[:, 1]))
    assert ours.covariance == pytest.approx(covariance)


def test_within_folds_each_fold_counts_by_its_pairs_and_a_shift_of_a_model_changes_nothing():
    rng = np.random.default_rng(5)
    positive, scores = drawn(rng, 90)
    folds, patients = np.arange(90) % 3, alone(90)
    ours = areas(positive, scores, patients, folds)
    parts = [
        (
            folds == n,
            naive(positive[folds == n], scores[folds == n], np.array(patients)[folds == n]),
        )
        for n in range(3)
    ]
    pairs = np.array([(own & positive).sum() * (own & ~positive).sum() for own, _ in parts])
    share = pairs / pairs.sum()
    assert ours.values == pytest.approx(
        sum(w * v for w, (_, (v, _)) in zip(share, parts, strict=True))
    )
    assert ours.covariance == pytest.approx(
        sum(w**2 * c for w, (_, (_, c)) in zip(share, parts, strict=True))
    )
    moved = areas(positive, scores + 5.0 * folds[:, None], patients, folds)
    assert moved.covariance == pytest.approx(ours.covariance)
    assert "within folds" in delong(positive, scores, patients, folds).how
    assert areas(positive, scores + 5.0 * folds[:, None], patients).values != pytest.approx(
        ours.values
    )


def test_delong_says_why_it_tells_no_interval():
    positive, scores = drawn(np.random.default_rng(6), 40)
    same = delong(positive, scores[:, [0, 0]], alone(40))
    assert (same.difference.value, same.difference.low, same.p) == (0.0, None, None)
    assert "ordered alike" in same.difference.reason
    one = delong(np.ones(40, bool), scores, alone(40))
    assert one.difference.value is None
    few = np.arange(40) < 9
    assert "fewer than 10" in delong(few, scores, alone(40)).difference.reason
    folds = np.where(np.arange(40) == 0, 1, 0)
    folds[20] = 1
    half = np.arange(40) < 20
    assert "single patient" in delong(half, scores, alone(40), folds).difference.reason


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_swapping_the_judges_turns_the_sign(seed):
    rng = np.random.default_rng(seed)
    positive, scores = drawn(rng, 80)
    patients = tuple(f"p{i // 2}" for i in range(80))
    one, other = delong(positive, scores, patients), delong(positive, scores[:, ::-1], patients)
    assert one.difference.value == pytest.approx(-other.difference.value)
    assert one.p == pytest.approx(other.p)
    assert one.difference.low == pytest.approx(-other.difference.high)
    right = scores > 0.5
    a, b = mcnemar(right[:, 0], right[:, 1], patients), mcnemar(right[:, 1], right[:, 0], patients)
    assert a.p == pytest.approx(b.p)
    assert a.difference.low == pytest.approx(-b.difference.high, abs=1e-9)
    assert a.difference.low - 1e-9 <= a.difference.value <= a.difference.high + 1e-9


def test_mcnemar_gives_the_published_values_of_worked_examples():
    # airway hyper-responsiveness before and after transplantation (Bentur 2009), in Fagerland 2014
    assert p_of(1, 7) == (pytest.approx(0.0703, abs=5e-5), "exact binomial")
    assert tango(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    # approval of the prime minister (Agresti 1990): z squared is 17.36
    assert p_of(150, 86) == (pytest.approx(3.1e-5, abs=5e-7), "chi squared")
    assert p_of(6, 16)[0] == pytest.approx(binomtest(6, 22).pvalue)
    assert p_of(0, 0)[0] == 1.0


@pytest.mark.parametrize(
    ("won", "lost", "n"), [(0, 0, 9), (5, 0, 5), (0, 5, 5), (3, 8, 40), (20, 0, 90)]
)
def test_the_ends_of_the_interval_are_where_the_score_test_refuses(won, lost, n):
    def refused(delta):
        """By the likeliest share of the lost under this difference, found by trying them."""
        shares = np.linspace(max(0, -delta), (1 - delta) / 2, 200_001)[1:-1]
        rest = n - won - lost
        with np.errstate(divide="ignore", invalid="ignore"):
            told = won * np.log(shares + delta) + lost * np.log(shares)
            told += rest * np.log(1 - 2 * shares - delta)
        share = shares[np.nanargmax(told)]
        return abs(won - lost - n * delta) / (n * (2 * share + delta * (1 - delta))) ** 0.5 > 1.96

    for end, outwards in zip(tango(won, lost, n), (-1, 1), strict=True):
        assert not refused(np.clip(end - 0.004 * outwards, -0.999, 0.999))
        assert abs(end) == 1 or refused(end + 0.004 * outwards)


def test_a_patient_counts_once_in_mcnemar_whatever_the_number_of_cases():
    first = np.array([1, 1, 1, 1, 0, 1], bool)
    second = np.array([0, 0, 0, 0, 1, 1], bool)
    told = mcnemar(first, second, ("a", "a", "a", "b", "b", "c"))
    # a is won, b a draw, c a tie
    assert "1 patients: 1 for the first, 0 against" in told.how
    assert told.p == 1.0
    assert told.difference.value == pytest.approx(3 / 6)
    assert told.difference.n == 3
    wide = told.difference.high - told.difference.low
    apart = mcnemar(first, second, alone(6)).difference
    assert wide > apart.high - apart.low


def test_overlap_counts_what_loops_count():
    rng = np.random.default_rng(8)
    truth = rng.integers(2, size=120)
    patients = tuple(f"p{i // 2}" for i in range(120))
    judges = []
    for _ in range(3):
        decision = np.where(rng.random(120) < 0.8, truth, 1 - truth)
        judges.append(Scores(truth, np.eye(2)[decision], decision, patients))
    told = overlap(judges[:2], repeats=200, seed=1)
    a, b = (judge.decision == truth for judge in judges[:2])
    assert told.cases.both == sum(not x and not y for x, y in zip(a, b, strict=True))
    assert told.cases.first == sum(not x and y for x, y in zip(a, b, strict=True))
    assert told.cases.second == sum(x and not y for x, y in zip(a, b, strict=True))
    assert told.cases.neither + told.cases.both + told.cases.first + told.cases.second == 120
    assert told.patients.both == len(
        {p for p, x, y in zip(patients, a, b, strict=True) if not (x or y)}
    )
    assert told.agreement.value == pytest.approx(np.mean(a == b))
    assert told.agreement.low < told.agreement.value < told.agreement.high
    assert told.disagreement.low == pytest.approx(1 - told.agreement.high)
    assert told.oracle.value == pytest.approx(np.mean(a | b))
    third = judges[2].decision == truth
    every = overlap(judges, repeats=200, seed=1)
    assert every.oracle.value == pytest.approx(np.mean(a | b | third))
    assert every.agreement.value == pytest.approx(np.mean((a == b) & (b == third)))
    assert every.cases is None
    with pytest.raises(RunError, match="same cases"):
        overlap([judges[0], Scores(1 - truth, judges[1].probabilities, truth, patients)], seed=1)
