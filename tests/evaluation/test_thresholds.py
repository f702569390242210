import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholecase.core.errors import RecipeError
from wholecase.evaluation import THRESHOLDS, threshold_rule


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


def noisy(seed, cases, apart=1.5, share=0.5):
    rng = np.random.default_rng(seed)
    truth = (np.arange(cases) < share * cases).astype(int)
    probability = 1 / (1 + np.exp(-(apart * (truth - 0.5) + rng.normal(size=cases))))
    return truth, probability, tuple(f"p{i:04}" for i in range(cases))


SMOOTHED = [name for name, rule in THRESHOLDS.items() if rule.is_smoothed]


@pytest.mark.parametrize("name", SMOOTHED)
def test_a_smoothed_threshold_wanders_less_and_the_less_the_fewer_cases(name):
    plain = {"smoothed_f1": "f1", "smoothed_balanced": "youden"}[name]
    spread = {}
    for cases in (16, 60):
        told = [noisy(seed, cases) for seed in range(25)]
        for rule in (name, plain):
            chosen = [THRESHOLDS[rule](truth, score) for truth, score, _ in told]
            spread[rule, cases] = np.std(chosen)
        assert spread[name, cases] < 0.8 * spread[plain, cases]


@pytest.mark.parametrize("name", SMOOTHED)
def test_of_many_cases_a_smoothed_threshold_goes_where_the_best_one_is(name):
    # three times too timid: the classes part at 0.3
    truth, probability, patients = noisy(0, 4000)
    shifted = 0.6 * probability
    told = THRESHOLDS[name].choose(truth, shifted, patients)
    assert told.low < told.value < told.high
    assert told.value == pytest.approx(0.3, abs=0.07)
    assert told.score > told.score_at_half + 0.1


@pytest.mark.parametrize("name", SMOOTHED)
def test_a_smoothed_threshold_lies_between_one_half_and_what_redraws_choose(name):
    for seed in range(10):
        truth, probability, patients = noisy(seed, 12)
        told = THRESHOLDS[name].choose(truth, probability, patients)
        assert min(told.low, 0.5) <= told.value <= max(told.high, 0.5)


@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_choice_tells_what_it_is_worth_and_what_one_half_would_be(name):
    truth, probability, patients = noisy(3, 40)
    told = THRESHOLDS[name].choose(truth, probability, patients)
    if name == "half":
        assert (told.value, told.low, told.score) == (0.5, None, None)
        return
    rule = "f1" if "f1" in name else "youden"
    assert told.score == pytest.approx(merit(rule, truth, probability > told.value))
    assert told.score_at_half == pytest.approx(merit(rule, truth, probability > 0.5))
    assert told.low <= told.high
    assert told.to_json()["value"] == told.value
    if not THRESHOLDS[name].is_smoothed:
        assert told.value == THRESHOLDS[name](truth, probability)
        assert told.score >= told.score_at_half


@pytest.mark.parametrize("name", SMOOTHED)
def test_patients_are_redrawn_whole(name):
    truth, probability, patients = noisy(1, 30)
    many = [np.repeat(values, 8) for values in (truth, probability)]
    whole = THRESHOLDS[name].choose(*many, tuple(np.repeat(patients, 8).tolist()))
    once = THRESHOLDS[name].choose(truth, probability, patients)
    assert (whole.value, whole.low) == (pytest.approx(once.value), pytest.approx(once.low))
    apart = THRESHOLDS[name].choose(*many, tuple(f"c{i:03}" for i in range(240)))
    assert apart.high - apart.low < whole.high - whole.low


@pytest.mark.parametrize("name", THRESHOLDS)
def test_the_order_of_cases_changes_no_threshold(name):
    truth, probability, patients = noisy(2, 30)
    order = np.random.default_rng(0).permutation(30)
    rule = THRESHOLDS[name]
    assert rule(truth[order], probability[order]) == pytest.approx(rule(truth, probability))
    names = tuple(patients[i] for i in order)
    shuffled = rule.choose(truth[order], probability[order], names)
    assert shuffled.value == pytest.approx(rule.choose(truth, probability, patients).value)


def test_a_sweep_takes_the_lowest_of_the_best_hundredths():
    truth = np.array([0, 0, 1, 0, 1, 1])
    probability = np.array([0.01, 0.12, 0.224, 0.3, 0.41, 0.9])
    grid = [n / 100 for n in range(5, 96)]

    def f1(threshold: float) -> float:
        called = probability > threshold
        return 2 * (called & (truth == 1)).sum() / (called.sum() + truth.sum())

    best = max(map(f1, grid))
    wanted = next(t for t in grid if f1(t) == best)
    assert wanted == 0.12  # decided above it: the case of 0.12 itself is negative
    assert THRESHOLDS["swept_f1"](truth, probability) == wanted


def drawn(rng, cases):
    truth = (rng.random(cases) < 0.3).astype(int)
    return truth, 1 / (1 + np.exp(-(1.6 * (truth - 0.5) + rng.normal(size=cases))))


@pytest.mark.parametrize("least", [0.8, 0.95])
def test_a_target_is_reached_at_the_least_cost_to_the_other_side(least):
    truth, said = drawn(np.random.default_rng(0), 300)
    for side, own in (("sensitivity", 1), ("specificity", 0)):
        at = threshold_rule(f"{side}>={least}")(truth, said)
        called = said > at
        sides = called[truth == 1].mean(), 1 - called[truth == 0].mean()
        reached, other = (sides[0], sides[1]) if own else (sides[1], sides[0])
        assert reached >= least
        for cut in np.unique(said):
            here = said > cut
            shares = here[truth == 1].mean(), 1 - here[truth == 0].mean()
            asked, rest = shares if own else shares[::-1]
            assert asked < least or rest <= other + 1e-12


def test_a_cost_makes_the_net_benefit_best():
    truth, said = drawn(np.random.default_rng(1), 300)
    for cost in (0.5, 1.0, 7.0):
        at = threshold_rule(f"cost={cost}")(truth, said)

        def worth(cut, cost=cost):
            called = said > cut
            return cost * called[truth == 1].sum() - called[truth == 0].sum()

        assert worth(at) == max(worth(cut) for cut in np.unique(said)[:-1])
    few, many = (threshold_rule(f"cost={c}")(truth, said) for c in (9, 0.2))
    assert few < many


def test_what_is_no_rule_is_refused():
    for text in ("sensitivity>=1.2", "recall>=0.9", "cost=0", "cost=-1", "best"):
        with pytest.raises(RecipeError):
            threshold_rule(text)
    assert threshold_rule("sensitivity >= .95").quantity == "specificity"
    assert threshold_rule("youden") is THRESHOLDS["youden"]
