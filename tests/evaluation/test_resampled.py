"""What folds and chance make of a figure."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from wholecase.evaluation import METRICS, Scores, over_folds, p_of_chance
from wholecase.evaluation.mcnemar import false_claim


def of(positive, truth, patients=None, judges=None):
    names = patients or tuple(f"p{i:03}" for i in range(len(truth)))
    return Scores(truth, np.stack([1 - positive, positive], 1), truth, names, judges)


def test_without_shared_training_the_corrected_test_is_students():
    rng = np.random.default_rng(0)
    differences = rng.normal(0.05, 0.1, 10)
    told = over_folds(differences.tolist(), 0.0, 100)
    plain = stats.ttest_1samp(differences, 0)
    assert told.p == pytest.approx(plain.pvalue)
    ends = plain.confidence_interval(0.95)
    assert (told.difference.low, told.difference.high) == pytest.approx((ends.low, ends.high))
    wider = over_folds(differences.tolist(), 1 / 9, 100)
    factor = np.sqrt((1 / 10 + 1 / 9) / (1 / 10))
    assert wider.difference.high - wider.difference.value == pytest.approx(
        factor * (told.difference.high - told.difference.value)
    )


def test_few_folds_and_equal_differences_tell_no_certainty():
    assert over_folds([0.1], 0.25, 9).difference.value is None
    assert over_folds([0.1, np.nan], 0.25, 9).p is None
    alike = over_folds([0.1, 0.1, 0.1], 0.25, 9)
    assert (alike.difference.low, alike.p) == (None, None)
    assert over_folds([0.0, 0.0], 0.25, 9).p == 1.0


def test_permuted_labels_are_ranked_as_scikit_learn_ranks_them():
    """The test agrees with a loop that deals labels and asks for the area each time."""
    rng = np.random.default_rng(1)
    truth = np.arange(30) % 2
    scores = of(np.round(rng.random(30) / 2 + truth * 0.12, 2), truth)
    p = p_of_chance(scores, repeats=4000, seed=1)
    seen = roc_auc_score(truth, scores.probabilities[:, 1])
    dealt = [roc_auc_score(rng.permutation(truth), scores.probabilities[:, 1]) for _ in range(500)]
    assert p == pytest.approx(np.mean(np.array(dealt) >= seen - 1e-9), abs=0.03)
    assert p < 0.5


def test_the_permutation_test_is_uniform_where_nothing_is_told():
    rng = np.random.default_rng(2)
    found = []
    for i in range(200):
        patients = tuple(f"p{k // 2}" for k in range(48))  # two cases each
        truth = np.repeat(rng.permutation(np.arange(24) % 2), 2)
        odds = np.repeat(rng.normal(size=24), 2) + 0.3 * rng.normal(size=48)
        judges = np.repeat(np.arange(24) % 4, 2)
        said = of(1 / (1 + np.exp(-odds - judges)), truth, patients, judges)
        found.append(p_of_chance(said, repeats=200, seed=i))
    assert stats.kstest(found, "uniform").pvalue > 0.01
    assert 0.01 <= np.mean(np.array(found) <= 0.05) <= 0.10


def test_one_class_and_several_classes_have_no_such_test():
    rows = np.full((4, 3), 1 / 3)
    several = Scores(np.array([0, 1, 2, 0]), rows, np.zeros(4, int), tuple("abcd"))
    assert p_of_chance(several, seed=1) is None
    assert p_of_chance(of(np.linspace(0.1, 0.9, 4), np.zeros(4, int)), seed=1) is None


@pytest.mark.parametrize(("won", "lost"), [(7, 1), (3, 3), (0, 5), (20, 12)])
def test_a_false_claim_is_as_likely_as_drawn_tables_say(won, lost):
    rng = np.random.default_rng(3)
    drawn = rng.dirichlet([won + 1, lost + 1, 40], 40_000)
    better = drawn[:, 0] - drawn[:, 1] if won >= lost else drawn[:, 1] - drawn[:, 0]
    assert false_claim(won, lost) == pytest.approx((better <= 0).mean(), abs=0.01)


def test_a_difference_over_folds_is_false_alarm_as_often_as_it_says():
    """Ten folds of two models that learn the same: the corrected test alarms one time in twenty."""
    rng, alarms, plain = np.random.default_rng(4), 0, 0
    for _ in range(300):
        shared = rng.normal()  # what the draw of this cohort gives to all folds
        told = 0.05 * shared / 3 + 0.05 * rng.normal(size=10)
        alarms += over_folds(told.tolist(), 1 / 9, 100).p < 0.05
        plain += over_folds(told.tolist(), 0.0, 100).p < 0.05
    assert alarms <= 0.08 * 300
    assert plain > alarms
    assert METRICS["auroc"].by_judge is not None
