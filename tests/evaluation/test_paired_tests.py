"""Two judges of the same cases: the tests are those of decisions and of ranks within folds."""

import numpy as np
import pytest
from scipy.stats import binomtest

from wholecase.evaluation import Scores, delong, paired_tests


def scores(probabilities: np.ndarray) -> Scores:
    truth = np.arange(40) % 2
    rows = np.stack([1 - probabilities, probabilities], 1)
    people = tuple(f"p{i}" for i in range(40))
    return Scores(truth, rows, rows.argmax(1), people, np.arange(40) // 20)


def test_decisions_by_mcnemar_and_ranks_by_delong() -> None:
    rng = np.random.default_rng(0)
    truth = np.arange(40) % 2
    noise = 0.2 * rng.normal(size=(2, 40))
    first, second = np.clip(0.5 + np.outer((0.4, 0.1), truth - 0.5) + noise, 0, 1)
    one, two = scores(first), scores(second)
    told = paired_tests(one, two)
    right = [s.decision == s.truth for s in (one, two)]
    won, lost = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert won > lost > 0
    assert told["accuracy"].p == pytest.approx(binomtest(won, won + lost).pvalue)
    assert f"{won} for the first, {lost} against" in told["accuracy"].how
    both = np.stack([first, second], 1)
    expected = delong(truth == 1, both, one.patients, one.judges)
    assert told["auroc"] == expected
    assert told["auroc"].p < 0.05


def test_several_classes_have_no_ranks() -> None:
    rows = np.eye(3)[np.arange(30) % 3] * 0.5 + 1 / 6
    people = tuple(map(str, range(30)))
    one = Scores(np.arange(30) % 3, rows, rows.argmax(1), people, np.zeros(30, np.int64))
    told = paired_tests(one, one)
    assert set(told) == {"accuracy"}
    assert told["accuracy"].p == pytest.approx(1)
