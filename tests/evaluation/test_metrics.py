import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from wholecase.evaluation import METRICS, auroc


@st.composite
def answers(draw, classes=None):
    """Cases with coarse probabilities, so that ties are common, and every class present."""
    c = classes or draw(st.integers(2, 4))
    m = draw(st.integers(2 * c, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate((np.arange(c), rng.integers(c, size=m - c)))
    raw = rng.integers(1, draw(st.integers(3, 30)), size=(m, c)).astype(float)
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    return truth, probabilities, rng.integers(c, size=m)


def of_oracle(name, truth, probabilities, decision):
    c = probabilities.shape[1]
    labels, average = ([1], "binary") if c == 2 else (list(range(c)), "macro")
    one_hot = np.eye(c)[truth]
    score = probabilities[:, 1] if c == 2 else probabilities
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "auroc": lambda: oracle.roc_auc_score(truth, score, multi_class="ovr"),
            "auprc": lambda: oracle.average_precision_score(truth if c == 2 else one_hot, score),
            "balanced_accuracy": lambda: oracle.balanced_accuracy_score(truth, decision),
            "f1": lambda: oracle.f1_score(truth, decision, labels=labels, average=average),
            "sensitivity": lambda: oracle.recall_score(
                truth, decision, labels=labels, average=average
            ),
            "specificity": lambda: np.mean(
                [
                    oracle.recall_score(truth != k, decision != k)
                    for k in ([1] if c == 2 else range(c))
                ]
            ),
            "matthews": lambda: oracle.matthews_corrcoef(truth, decision),
            "accuracy": lambda: oracle.accuracy_score(truth, decision),
            "brier": lambda: (
                oracle.brier_score_loss(truth, score)
                if c == 2
                else ((probabilities - one_hot) ** 2).sum(axis=1).mean()
            ),
        }[name]()


OURS = {"ece", "calibration_slope", "calibration_intercept", "separation"}
OF_SCIKIT = [n for n in METRICS if n not in OURS and not METRICS[n].several_judges_only]


@pytest.mark.parametrize("name", OF_SCIKIT)
@given(answer=answers())
@settings(max_examples=40, deadline=None)
def test_agrees_with_scikit_learn(name, answer):
    assert METRICS[name](*answer) == pytest.approx(of_oracle(name, *answer), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
@given(answer=answers(), seed=st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_a_weight_is_how_often_the_case_is_there(name, answer, seed):
    truth, probabilities, decision = answer
    if not METRICS[name].fits(probabilities.shape[1]):
        return
    weights = np.random.default_rng(seed).integers(0, 4, size=(3, len(truth)))
    values = METRICS[name].weighted(truth, probabilities, decision, weights.astype(float))
    for times, value in zip(weights, values, strict=True):
        taken = np.repeat(np.arange(len(truth)), times)
        if len(taken) and set(truth[taken]) == set(truth):
            repeated = METRICS[name](truth[taken], probabilities[taken], decision[taken])
            exact = METRICS[name].is_redrawn
            assert value == pytest.approx(repeated, abs=1e-12 if exact else 1e-5, nan_ok=True)


def test_separation_is_how_far_the_classes_lie_apart():
    truth, likely = np.array([1, 0, 0, 1, 0]), np.array([0.9, 0.2, 0.3, 0.5, 0.1])
    probabilities = np.stack([1 - likely, likely], 1)
    told = METRICS["separation"](truth, probabilities, truth)
    assert told == pytest.approx(0.7 - 0.2)
    assert METRICS["separation"](1 - truth, probabilities, truth) == pytest.approx(-told)


def test_a_redraw_that_lost_a_class_has_no_value():
    truth, decision = np.array([0, 1, 2]), np.array([0, 1, 1])
    weights = np.array([[2.0, 1.0, 0.0]])
    for name in ("auroc", "auprc", "balanced_accuracy", "f1", "sensitivity", "matthews"):
        assert np.isnan(METRICS[name].weighted(truth, np.eye(3), decision, weights)), name
    assert METRICS["accuracy"].weighted(truth, np.eye(3), decision, weights) == 1


@pytest.mark.parametrize("only", [0, 1])
def test_one_class_leaves_nan_where_the_facts_say_so_and_no_warning(only):
    truth, probabilities = np.full(4, only), np.full((4, 2), 0.5)
    values = {name: f(truth, probabilities, np.array([0, 1, 0, 1])) for name, f in METRICS.items()}
    undefined = {name for name, metric in METRICS.items() if 1 - only in metric.needs}
    assert {name for name, value in values.items() if np.isnan(value)} == undefined


def test_a_class_that_never_occurs_does_not_count():
    truth, decision = np.array([0, 0, 1, 1]), np.array([0, 2, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.1, 0.2, 0.7], [0.1, 0.8, 0.1], [0.2, 0.6, 0.2]])
    assert METRICS["balanced_accuracy"](truth, probabilities, decision) == 0.75
    expected = np.mean([auroc(truth == c, probabilities[:, c]) for c in (0, 1)])
    assert METRICS["auroc"](truth, probabilities, decision) == expected


@given(answer=answers(classes=2))
@settings(max_examples=40, deadline=None)
def test_auroc_counts_pairs_and_only_order_matters(answer):
    truth, probabilities, _ = answer
    positive, score = truth == 1, probabilities[:, 1]
    pairs = [(p > n) + (p == n) / 2 for p in score[positive] for n in score[~positive]]
    assert auroc(positive, score) == pytest.approx(np.mean(pairs), abs=1e-12)
    assert auroc(positive, np.exp(4 * score)) == auroc(positive, score)
    assert auroc(positive, -score) == pytest.approx(1 - auroc(positive, score))
