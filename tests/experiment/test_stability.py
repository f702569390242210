"""How alike the fold models look: told of every judged case, and entering nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from e2e.conftest import cohort_file as _cohort_file
from e2e.conftest import finished as _finished
from e2e.conftest import rerun as _rerun
from wholecase.answer import judge_cases, load_run
from wholecase.assemble import labels_of, plan_of, split_of
from wholecase.cohort import read_cohort
from wholecase.core.errors import RunError
from wholecase.evaluation import mean_interval
from wholecase.experiment import Summary, stability
from wholecase.experiment.fold import Outcome
from wholecase.experiment.stability import Panel, rank_correlation, write_stability
from wholecase.explain import read_evidence
from wholecase.extract import extract
from wholecase.recipes import read_recipe
from wholecase.runs import read_rows

cohort_file, finished, rerun = _cohort_file, _finished, _rerun


@pytest.fixture(scope="module")
def panel(finished: Summary, cohort_file: Path) -> Panel:
    recipe = read_recipe(str(finished.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    extraction = extract(
        cohort, plan_of(recipe, finished.run.root.parent / "features", "cpu"), workers=0
    )
    folds = split_of(recipe, cohort, None).folds
    return Panel(recipe, extraction, cohort.classes, finished.run, folds)


@pytest.fixture(scope="module")
def outcomes(panel: Panel) -> list[Outcome]:
    """As the finished run tells them."""
    cases = {case.id: case for fold in panel.folds for case in fold.test}
    return [
        Outcome(
            case=cases[row["case_id"]],
            fold=int(row["fold"]),
            probabilities=tuple(float(row[f"probability_{name}"]) for name in panel.classes),
            decision=panel.classes.index(row["decision"]),
            localisation=None,
        )
        for row in read_rows(panel.run.predictions)
    ]


def test_a_row_for_every_case_and_fold_model(finished: Summary) -> None:
    rows = read_rows(finished.run.stability)
    predicted = {row["case_id"]: row for row in read_rows(finished.run.predictions)}
    assert [(row["case_id"], row["fold"]) for row in rows] == [
        (case, str(fold)) for case in predicted for fold in range(3)
    ]
    sides = {(r["fold"], r["patient_id"]): r["side"] for r in read_rows(finished.run.splits)}
    for row in rows:
        assert row["seen"] == str(int(sides[row["fold"], row["patient_id"]] != "test"))
        judge = predicted[row["case_id"]]
        if row["fold"] == judge["fold"]:
            assert row["rank_correlation"] == ""
            for name in ("probability_wild-type", "probability_mutated"):
                assert row[name] == judge[name]


def test_every_model_says_what_it_says_when_it_is_asked_alone(
    finished: Summary, panel: Panel
) -> None:
    rows = {(row["case_id"], row["fold"]): row for row in read_rows(finished.run.stability)}
    cases = [case for fold in panel.folds for case in fold.test]
    compared = 0
    for number, member in enumerate(load_run(finished.run.root, "cpu").members):
        for judged in judge_cases(member.model, cases, panel.extraction):
            row = rows[judged.case.id, str(number)]
            calibrated = member.choices.calibrated(judged.probabilities[None])[0]
            assert float(row["probability_mutated"]) == pytest.approx(calibrated[1], abs=1e-7)
            theirs = read_evidence(finished.run.evidence(judged.case.id)).weights.mean(1)
            if not row["rank_correlation"]:
                continue
            compared += 1
            expected = spearmanr(judged.evidence.weights.mean(1), theirs).statistic
            assert float(row["rank_correlation"]) == pytest.approx(expected, abs=1e-5)
    # two other models for each of the sixteen cases of three or four instances
    assert compared == 32


def test_the_mean_counts_a_case_once_and_its_interval_is_by_patient(finished: Summary) -> None:
    metrics = json.loads(finished.run.metrics.read_text())
    rows = read_rows(finished.run.stability)
    found: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if row["rank_correlation"]:
            key = row["case_id"], row["patient_id"]
            found.setdefault(key, []).append(float(row["rank_correlation"]))
    means = np.array([np.mean(values) for values in found.values()])
    told = metrics["stability"]
    assert told["value"] == pytest.approx(means.mean(), abs=1e-5)
    assert told["n"] == len({patient for _, patient in found})
    assert told["low"] < told["value"] < told["high"]
    patients = tuple(patient for _, patient in found)
    wide = mean_interval(means, patients, seed=1)
    assert (told["low"], told["high"]) == pytest.approx((wide.low, wide.high), abs=0.1)
    assert "stability" not in metrics["pooled"]


def test_workers_and_a_second_time_give_the_same_bytes(
    finished: Summary, panel: Panel, outcomes: list[Outcome]
) -> None:
    before = finished.run.stability.read_bytes()
    for workers in (0, 2):
        told = write_stability(replace(panel, workers=workers), outcomes)
        assert finished.run.stability.read_bytes() == before
        assert told.interval is not None
        assert told.interval.to_json() == finished.metrics["stability"]


def test_of_a_large_run_a_sample_is_asked_and_a_note_says_so(
    finished: Summary, panel: Panel, outcomes: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.run.stability.read_bytes()
    monkeypatch.setattr(stability, "MOST_CASES", 7)
    told = write_stability(panel, outcomes)
    rows = read_rows(finished.run.stability)
    finished.run.stability.write_bytes(before)
    assert len(rows) == 21
    everything = {tuple(row.items()) for row in read_rows(finished.run.stability)}
    assert {tuple(row.items()) for row in rows} < everything
    assert "7 of the 24 judged cases" in told.notes[0]


def test_a_fold_that_cannot_be_asked_is_left_out_and_told(
    finished: Summary, panel: Panel, outcomes: list[Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.run.stability.read_bytes()
    load = stability.load_model

    def damaged(path, model):
        if path.parent.name == "1":
            raise RunError("model 1 is damaged")
        return load(path, model)

    monkeypatch.setattr(stability, "load_model", damaged)
    told = write_stability(panel, outcomes)
    rows = read_rows(finished.run.stability)
    finished.run.stability.write_bytes(before)
    own = sum(outcome.fold == 1 for outcome in outcomes)
    assert sum(row["fold"] == "1" for row in rows) == own
    assert len(rows) == 2 * 24 + own
    assert "fold 1 could not be asked" in told.notes[0]
    assert "model 1 is damaged" in told.notes[0]


HASTE = ("train.epochs=1", "evaluate.pictures=0", "evaluate.bootstrap=100")


def test_weights_that_say_nothing_have_no_stability(
    finished: Summary, rerun: Callable[..., Summary]
) -> None:
    store = finished.run.root.parent / "features"
    told = rerun("model.aggregator=mean", "protocol.folds=2", *HASTE, store=store)
    assert "stability" not in told.metrics
    rows = read_rows(told.run.stability)
    assert len(rows) == 48
    assert all(row["rank_correlation"] == "" for row in rows)


def test_one_fold_has_nothing_to_compare(finished: Summary, rerun: Callable[..., Summary]) -> None:
    store = finished.run.root.parent / "features"
    told = rerun("protocol.kind=holdout", "protocol.test=0.4", *HASTE, store=store)
    assert "stability" not in told.metrics
    assert not told.run.stability.exists()


def test_rank_correlation_agrees_with_scipy_and_knows_its_limits() -> None:
    rng = np.random.default_rng(0)
    for size in (3, 10, 500):
        one, other = rng.integers(0, 5, size=(2, size)).astype(float)
        one[0], other[-1] = 9, 9
        expected = spearmanr(one, other).statistic
        assert rank_correlation(one, other) == pytest.approx(expected)
    assert rank_correlation(one, -one) == -1
    assert rank_correlation(one, np.full(500, 0.1)) is None
    assert rank_correlation(one[:2], other[:2]) is None
