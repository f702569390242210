"""The drawn part of the collection of inputs that went wrong: claims, and very few patients."""

import csv
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from wholecase.audit import check_cohort
from wholecase.cohort import read_cohort
from wholecase.encoders import EncoderSpec
from wholecase.evaluation import Scores, measure
from wholecase.execution import Place
from wholecase.extract import Plan, extract
from wholecase.instances import Grid

BELONG = {"wide": (25, 1250), "high": (25, 1250), "both": (25, 62500)}


@pytest.fixture(scope="module")
def drawn(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cases")
    subprocess.run([sys.executable, str(shared / "cases/make.py"), str(folder)], check=True)
    return folder


@pytest.mark.data
def test_claims_are_held_to_what_is_stored_by_check_and_extract(drawn, tmp_path):
    cohort = read_cohort(drawn / "claims" / "cohort.csv", None)
    began = time.process_time()
    audit = check_cohort(cohort)
    told = {Path(f.what.partition(": ")[0]).stem: f.what for f in audit.findings if f.costs}
    done = extract(cohort, Plan(Grid(224, 0.5), EncoderSpec("colour"), tmp_path), Place(workers=0))
    assert time.process_time() - began < 5
    reasons = {failure.path.stem: failure.reason for failure in done.failures}
    for found in (reasons, {name: what for name, what in told.items() if name != "true"}):
        assert set(found) == {*BELONG, "tile"}
        for name, (stored, belong) in BELONG.items():
            assert f"stored {stored} tiles where {belong} belong" in found[name]
        assert "65520 x 65520 px" in found["tile"]
    (bag,) = (store.read(key) for store, key in done.bags.values())
    assert len(bag) == 25


@pytest.mark.data
@pytest.mark.parametrize("patients", ["2", "3", "5"])
@pytest.mark.parametrize("wrong", [0, 1])
def test_no_interval_claims_more_than_so_few_patients_can(drawn, patients, wrong):
    with (drawn / "few" / "cohort.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == patients]
    truth = np.array([row["label"] == "yes" for row in rows], int)
    truth[:wrong] = 1 - truth[:wrong]
    share = np.array([float(row["probability_yes"]) for row in rows])
    scores = Scores(
        truth,
        np.stack([1 - share, share], axis=1),
        (share > 0.5).astype(int),
        tuple(row["patient_id"] for row in rows),
    )
    told = measure(scores, repeats=100, seed=0)
    over = {"accuracy": len(rows), "sensitivity": truth.sum(), "specificity": (truth == 0).sum()}
    for name in (*over, "balanced_accuracy", "auroc"):
        if told[name].low is None:
            assert told[name].reason, name
        elif name in over:  # of n, all right, nobody can exclude more than this
            assert told[name].low <= 0.025 ** (1 / over[name]) + 1e-9, name
        else:  # none is told from chance
            assert told[name].low <= 0.5, name
