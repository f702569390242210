"""A run asked where the positive class is rare."""

import numpy as np
import pytest

from wholecase.core.errors import RunError
from wholecase.experiment import ask, at_prevalence, question_of, share_asked


@pytest.fixture(scope="module")
def asked(finished, cohort_file):
    done = ask(question_of(finished.run.root, cohort=cohort_file))
    return done.trained, list(done.judgements)


def test_answers_move_with_the_prevalence_and_decisions_with_them(asked):
    trained, judgements = asked
    rare, notes = at_prevalence(trained, judgements, 0.01)
    same, _ = at_prevalence(trained, judgements, 0.5)
    for before, after, back in zip(judgements, rare, same, strict=True):
        assert after.probabilities[1] < before.probabilities[1]
        assert back.probabilities[1] == pytest.approx(before.probabilities[1], abs=1e-6)
        assert after.probabilities.sum() == pytest.approx(1)
    assert sum(one.decision for one in rare) <= sum(one.decision for one in same)
    assert "0.010, as asked; 0.500 in the run's cohort" in notes[0]
    assert "PPV" in notes[1]


def test_an_estimate_is_told_as_one(asked):
    trained, judgements = asked
    only = [one for one in judgements if one.case.target == 0]
    answers, notes = at_prevalence(trained, only, None)
    assert "estimated from these answers" in notes[0]
    assert np.mean([one.probabilities[1] for one in answers]) < 0.4


@pytest.mark.parametrize("text", ["six", "6 %", "0", "1", "-0.1"])
def test_what_is_no_prevalence_is_refused(text):
    with pytest.raises(RunError, match="is no prevalence"):
        share_asked(text)
    assert (share_asked("0.06"), share_asked("estimate")) == (0.06, None)
