"""How alike the fold models look: told of every judged case, and entering nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from wholecase.answer import judge, load_run
from wholecase.assemble import labels_of, plan_of, split_of
from wholecase.cohort import read_cohort
from wholecase.core.errors import WholecaseError
from wholecase.evaluation import mean_interval
from wholecase.execution import Place
from wholecase.experiment import Summary, outer
from wholecase.experiment.outer import Bench, explained, judge_outer, rank_correlation
from wholecase.experiment.stability import write_stability
from wholecase.explain import read_evidence
from wholecase.extract import extract
from wholecase.recipes import read_recipe
from wholecase.runs import read_rows


@pytest.fixture(scope="module")
def bench(finished: Summary, cohort_file: Path) -> Bench:
    recipe = read_recipe(str(finished.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    extraction = extract(
        cohort, plan_of(recipe, finished.run.root.parent / "features"), Place(workers=0)
    )
    folds = split_of(recipe, cohort, None).folds
    place = Place(workers=0)
    return Bench(recipe, extraction, cohort.classes, finished.run, folds, cohort.cases, place)


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
    finished: Summary, bench: Bench
) -> None:
    rows = {(row["case_id"], row["fold"]): row for row in read_rows(finished.run.stability)}
    cases = [case for fold in bench.folds for case in fold.test]
    compared = 0
    for number, member in enumerate(load_run(finished.run.root, "cpu").members):
        for (one,) in judge([member], cases, bench.extraction):
            row = rows[one.case.id, str(number)]
            assert float(row["probability_mutated"]) == pytest.approx(
                one.probabilities[1], abs=1e-7
            )
            theirs = read_evidence(finished.run.evidence(one.case.id)).weights.mean(1)
            if not row["rank_correlation"]:
                continue
            compared += 1
            assert one.evidence is not None
            expected = spearmanr(one.evidence.weights.mean(1), theirs).statistic
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


def test_workers_and_a_second_time_give_the_same_bytes(finished: Summary, bench: Bench) -> None:
    before = finished.run.stability.read_bytes()
    for workers in (0, 2):
        told = write_stability(bench, judge_outer(replace(bench, place=Place(workers=workers))))
        assert finished.run.stability.read_bytes() == before
        assert told.interval is not None
        assert told.interval.to_json() == finished.metrics["stability"]


def test_of_a_large_run_a_sample_is_compared_and_a_note_says_so(
    finished: Summary, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = finished.run.stability.read_bytes()
    monkeypatch.setattr(outer, "MOST_COMPARED", 7)
    told = write_stability(bench, judge_outer(bench))
    rows = read_rows(finished.run.stability)
    finished.run.stability.write_bytes(before)
    assert len(rows) == 21
    everything = {tuple(row.items()) for row in read_rows(finished.run.stability)}
    assert {tuple(row.items()) for row in rows} < everything
    assert "7 of the 24 judged cases" in told.notes[0]


def test_large_folds_are_judged_in_batches_and_explained_where_shown(
    finished: Summary, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = judge_outer(bench)
    evidence = {one.case.id: finished.run.evidence(one.case.id).read_bytes() for one in whole}
    monkeypatch.setattr(outer, "MOST_EXPLAINED", 0)
    for case in evidence:
        finished.run.evidence(case).unlink()
    large = judge_outer(bench)
    assert not any(finished.run.evidence(case).exists() for case in evidence)
    for a, b in zip(whole, large, strict=True):
        np.testing.assert_allclose(a.probabilities, b.probabilities, atol=1e-6)
        assert (a.decision, len(a.others)) == (b.decision, len(b.others))
        assert all(other.agreement is None for other in b.others)
    shown = explained(bench, large)
    assert {c: finished.run.evidence(c).read_bytes() for c in evidence} == evidence
    assert [one.localisation for one in shown] == [one.localisation for one in whole]


def test_a_damaged_model_stops_the_run_with_its_path(finished: Summary, bench: Bench) -> None:
    model = finished.run.fold(1).model
    before = model.read_bytes()
    model.write_bytes(before[:100])
    try:
        with pytest.raises(WholecaseError, match=r"model\.safetensors"):
            judge_outer(bench)
    finally:
        model.write_bytes(before)


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
