"""Who may vote: good members that err on different cases."""

import numpy as np
import pytest

from wholecase.evaluation import Rule, Scores, standings, vote_weights

CASES = 100


def judge(*wrong, sure=0.8):
    """Right about all cases but these."""
    truth = np.arange(CASES) % 2
    positive = np.where(truth == 1, sure, 1 - sure)
    positive[list(wrong)] = 1 - positive[list(wrong)]
    decision = (positive > 0.5).astype(int)
    patients = tuple(f"p{i}" for i in range(CASES))
    return Scores(truth, np.stack([1 - positive, positive], 1), decision, patients)


def test_members_that_err_on_different_cases_are_admitted_together():
    found = standings({"a": judge(1, 2), "b": judge(3, 4)}, Rule())
    assert [one.reason for one in found.values()] == ["", ""]
    assert found["b"].disagreement == pytest.approx(0.04)
    # of four cases the mean is one half instead of surely wrong in two and right in two
    gain = (2 * 2 * 0.64 + 98 * 2 * 0.04 - 4 * 2 * 0.25 - 96 * 2 * 0.04) / CASES
    assert found["b"].gain == pytest.approx(gain)
    assert gain > 0


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (judge(*range(20, 31)), "accuracy 0.890 is below 0.9"),
        (judge(*range(10, 15)), "decides otherwise than a in 7.0 % of the cases"),
        (judge(1, 2), "decides as a does in all cases"),
        (judge(1, 2, 3), "is never right where it and a differ"),
        (judge(1, 4, 5, sure=0.55), "the vote is no better with it"),
    ],
)
def test_the_first_reason_against_a_member_is_told(other, reason):
    found = standings({"b": other, "a": judge(1, 2, sure=0.85)}, Rule())
    assert found["a"].reason == ""
    assert found["b"].reason.startswith(reason)
    assert list(found) == ["b", "a"]


def test_the_bars_are_exact():
    at = judge(*range(10))
    assert standings({"a": at}, Rule())["a"].reason == ""
    assert standings({"a": at}, Rule(accuracy=0.9001))["a"].reason
    pair = {"a": judge(1, 2), "b": judge(3, 4, 5)}
    assert "5.0 %" in standings(pair, Rule())["b"].reason
    assert standings(pair, Rule(disagreement=0.0501))["b"].reason == ""


def test_members_are_tried_by_their_accuracy_whatever_their_order():
    judges = {"weak": judge(3, 4, 5), "best": judge(1, 2), "twin": judge(1, 2)}
    for order in (["weak", "best", "twin"], ["twin", "weak", "best"]):
        found = standings({name: judges[name] for name in order}, Rule(disagreement=0.06))
        first = next(name for name in order if name != "weak")
        assert [n for n in order if not found[n].reason] == [
            n for n in order if n in {first, "weak"}
        ]


def test_with_forty_cases_and_less_no_two_can_complement_each_other_within_the_rule():
    # less than 5 % of 40 is one case, on which both cannot be right
    for n in range(2, 41):
        assert max(k for k in range(n) if k / n < 0.05) < 2


def test_weights_follow_right_and_wrong_on_the_inner_cases():
    judges = [judge(*range(10)), judge(*range(20)), judge(*range(60))]
    assert vote_weights(judges, "equal") == pytest.approx([1 / 3] * 3)
    odds = np.array([np.log(90.5 / 10.5), np.log(80.5 / 20.5), 0.0])
    assert vote_weights(judges, "validation") == pytest.approx(odds / odds.sum())
    assert vote_weights([judges[2]] * 2, "validation") == pytest.approx([0.5, 0.5])
