import numpy as np
import pytest

from wholecase.core.errors import RunError
from wholecase.evaluation import Scores

GOOD = {
    "truth": np.array([0, 1, 1]),
    "probabilities": np.array([[0.9, 0.1], [0.3, 0.7], [0.6, 0.4]]),
    "decision": np.array([0, 1, 0]),
    "patients": ("a", "b", "b"),
}


def test_good_scores_are_taken_in_single_precision_too():
    assert Scores(**GOOD).classes == 2
    assert Scores(**GOOD | {"probabilities": GOOD["probabilities"].astype(np.float32)})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"patients": ("a", "b")}, "3, 3, 3 and 2 cases"),
        ({"truth": np.array([0, 1, 2])}, "truth names a class outside 0 to 1"),
        ({"decision": np.array([0, -1, 1])}, "decision names a class"),
        ({"probabilities": np.array([[0.9, 0.1], [0.3, 0.6], [0.6, 0.4]])}, "case 1 .patient 'b'"),
        ({"probabilities": np.array([[0.9, 0.1], [0.3, 0.7], [np.nan, 0.4]])}, "case 2"),
        ({"probabilities": np.array([[1.4, -0.4], [0.3, 0.7], [0.6, 0.4]])}, "case 0"),
        ({"probabilities": np.ones((3, 1)), "truth": np.zeros(3, int)}, "at least two"),
    ],
)
def test_what_cannot_be_measured_is_refused_by_name(change, says):
    with pytest.raises(RunError, match=says):
        Scores(**GOOD | change)


def test_no_cases_are_refused():
    empty = np.zeros(0, int)
    with pytest.raises(RunError, match="at least one"):
        Scores(empty, np.zeros((0, 2)), empty, ())
