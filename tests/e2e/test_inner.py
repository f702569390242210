"""What a fold's choices were made on is kept, so that they can be checked and shown."""

import json

import numpy as np
import pytest

from wholecase.core.seeds import seed_of
from wholecase.evaluation import THRESHOLDS, bias_corrected, undo_temperature
from wholecase.experiment import Summary
from wholecase.runs import read_rows


def test_the_kept_inner_predictions_give_the_fold_its_choices_again(finished: Summary) -> None:
    run = finished.run
    classes = run.read_facts()["classes"]
    for number in range(3):
        rows = read_rows(run.fold(number).inner)
        choices = json.loads(run.fold(number).choices.read_text())
        said = np.array([[float(row[f"probability_{name}"]) for name in classes] for row in rows])
        truth = np.array([classes.index(row["label"]) for row in rows])
        patients = [row["patient_id"] for row in rows]
        rule = THRESHOLDS[choices["threshold_rule"]]
        moved = choices["shift"][1] - choices["shift"][0]
        worth = rule.choose(
            truth,
            said[:, 1],
            patients,
            seed=seed_of(1, "fold", number),
            default=1 / (1 + np.exp(-moved)),
        )
        assert worth.value == pytest.approx(choices["threshold"], abs=1e-12)
        assert worth.score_at_half == choices["threshold_score_at_half"]
        raw = undo_temperature(said, choices["temperature"], choices["shift"])
        temperature, shift = bias_corrected(truth, raw)
        assert temperature == pytest.approx(choices["temperature"], abs=1e-3)
        assert shift == pytest.approx(choices["shift"], abs=1e-3)
        assert len(rows) == choices["inner_cases"]


def test_the_kept_inner_predictions_are_of_inner_patients_alone(finished: Summary) -> None:
    sides = {
        (row["fold"], row["case_id"]): (row["side"], row["patient_id"])
        for row in read_rows(finished.run.splits)
    }
    for number in range(3):
        for row in read_rows(finished.run.fold(number).inner):
            assert sides[str(number), row["case_id"]] == ("valid", row["patient_id"])
