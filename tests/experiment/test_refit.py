"""Once all is chosen the model learns from training and inner patients; choices stay honest."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from toys.quick import quick
from wholecase.answer import FoldModel, examples_of, judge, read_case
from wholecase.assemble import batches_of, labels_of, model_of, plan_of, schedule_of, split_of
from wholecase.cohort import Case, Fold, read_cohort
from wholecase.core.errors import RecipeError, RunError
from wholecase.core.seeds import seed_of
from wholecase.evaluation import Sides, Vectors, apply_temperature, baseline
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.extract import Extraction, extract
from wholecase.models import load_model, load_tensors
from wholecase.runs import read_rows
from wholecase.training import fit

QUICKEST = ("train.epochs=3", "evaluate.bootstrap=100")
REFIT = ("protocol.refit=true", "evaluate.pictures=0")


@pytest.fixture(scope="module")
def refitted(
    finished: Summary, cohort_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Summary:
    store = finished.run.root.parent / "features"
    out = tmp_path_factory.mktemp("refit") / "run"
    return run(
        quick(*REFIT), cohort_file, Settings(out, store, baselines=True, place=Place(workers=0))
    )


def test_all_choices_are_those_of_a_model_that_never_learnt_from_the_inner_patients(
    finished: Summary, refitted: Summary
) -> None:
    for number in range(3):
        plain, again = finished.run.fold(number), refitted.run.fold(number)
        assert again.inner.read_bytes() == plain.inner.read_bytes()
        chosen, before = (json.loads(f.choices.read_text()) for f in (again, plain))
        assert (chosen.pop("refit_patients"), chosen.pop("refit_cases")) == taught(refitted, number)
        assert chosen.pop("key") != before.pop("key")
        assert chosen == before
        first, model = load_tensors(again.first())[0], load_tensors(plain.model)[0]
        assert all(torch.equal(tensor, model[name]) for name, tensor in first.items())


def taught(summary: Summary, number: int) -> tuple[int, int]:
    rows = [r for r in read_rows(summary.run.splits) if r["fold"] == str(number)]
    rows = [row for row in rows if row["side"] != "test"]
    return len({row["patient_id"] for row in rows}), len(rows)


@pytest.fixture(scope="module")
def divided(finished: Summary, cohort_file: Path) -> tuple[tuple[Fold, ...], Extraction]:
    recipe = quick()
    cohort = read_cohort(cohort_file, labels_of(recipe))
    plan = plan_of(recipe, finished.run.root.parent / "features")
    return split_of(recipe, cohort, None).folds, extract(cohort, plan, Place(workers=0))


def test_the_model_that_answers_learnt_from_both_sides_for_as_many_epochs(
    refitted: Summary, divided: tuple[tuple[Fold, ...], Extraction]
) -> None:
    (fold, *_), extraction = divided
    both = sorted((*fold.train, *fold.valid), key=lambda case: case.id)
    recipe, seed = quick("train.early_stop=null"), seed_of(1, "fold", 0)
    counts = [sum(case.target == label for case in both) for label in range(2)]
    model = model_of(recipe, extraction.width, 2, seed, counts)
    best = json.loads(refitted.run.fold(0).choices.read_text())["epoch"]
    batches = batches_of(recipe, examples_of(both, extraction, classes=2), seed_of(seed, "train"))
    fit(model, (batches, None), replace(schedule_of(recipe), epochs=best + 1), seed=seed)
    kept = load_tensors(refitted.run.fold(0).model)[0]
    assert all(torch.equal(tensor, kept[name]) for name, tensor in model.state_dict().items())


def test_plain_baselines_learn_from_both_sides_too(
    refitted: Summary, divided: tuple[tuple[Fold, ...], Extraction]
) -> None:
    folds, extraction = divided

    def vectors(cases: tuple[Case, ...]) -> Vectors:
        rows = [read_case(case, extraction).bag.values.mean(0, dtype=np.float64) for case in cases]
        return Vectors(np.stack(rows), np.array([case.target for case in cases]))

    errors = []
    for fold in folds:
        sides = Sides(vectors(fold.train), vectors(fold.valid), 2, learns_inner=True)
        test = vectors(fold.test)
        said = baseline("centroid", sides, test.features)[:, 1]
        errors.append((said - test.truth) ** 2)
    told = refitted.metrics["baselines"]["centroid"]
    assert told["metrics"]["brier"]["value"] == pytest.approx(np.mean(np.concatenate(errors)))
    assert told["mean_over_folds"]["brier"] == pytest.approx(np.mean([e.mean() for e in errors]))


def test_both_trainings_and_what_they_were_for_are_told(refitted: Summary) -> None:
    rows = read_rows(refitted.run.fold(0).history)
    first = [row for row in rows if row["training"] == "first"]
    again = [row for row in rows if row["training"] == "refit"]
    assert rows == [*first, *again]
    assert [row["epoch"] for row in first if row["best"] == "1"] == [again[-1]["epoch"]]
    assert {row["valid_loss"] for row in again} == {""}
    assert refitted.run.read_facts()["splits"]["refit"]["learnt_from"] == "train and valid"
    assert "learnt once more, from training and inner patients" in refitted.run.report.read_text()


def test_a_refit_that_was_stopped_goes_on_and_other_choices_learn_nothing_again(
    refitted: Summary, cohort_file: Path, tmp_path: Path, finished: Summary
) -> None:
    store, out = finished.run.root.parent / "features", tmp_path / "run"
    shutil.copytree(refitted.run.root, out)
    settings = Settings(out, store, place=Place(workers=0))
    fold = refitted.run.fold(0)
    stopped = out / "folds/0"
    for name in ("model.safetensors", "choices.json", "history.csv"):
        (stopped / name).unlink()
    first = (stopped / "first.safetensors").stat().st_mtime_ns
    assert run(quick(*REFIT), cohort_file, settings).folds == "1 learnt, 2 reused"
    for path in (fold.model, fold.choices, fold.history):
        assert (stopped / path.name).read_bytes() == path.read_bytes()
    assert (stopped / "first.safetensors").stat().st_mtime_ns == first
    told = run(quick(*REFIT, "choose.threshold=half"), cohort_file, settings).folds
    assert told == "3 learnt before, chosen anew"
    with pytest.raises(RunError, match=r"protocol\.refit True there, not said here"):
        run(quick(), cohort_file, settings)


def test_inner_folds_ask_every_patient_a_model_that_never_learnt_from_them(
    finished: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    store, out = finished.run.root.parent / "features", tmp_path / "run"
    settings = Settings(out, store, place=Place(workers=0))
    recipe = quick(*REFIT, "protocol.inner=3", "protocol.folds=2", *QUICKEST)
    told = run(recipe, cohort_file, settings)
    fold = told.run.fold(0)
    rows, choices = read_rows(fold.inner), json.loads(fold.choices.read_text())
    sides = {r["case_id"]: r["side"] for r in read_rows(told.run.splits) if r["fold"] == "0"}
    assert sorted(r["case_id"] for r in rows) == sorted(c for c in sides if sides[c] != "test")
    parts = [{r["patient_id"] for r in rows if r["part"] == str(n)} for n in range(3)]
    assert sum(map(len, parts)) == len(set.union(*parts)) == choices["inner_patients"]
    assert {r["case_id"] for r in rows if r["part"] == "0"} == {
        case for case, side in sides.items() if side == "valid"
    }
    history = read_rows(fold.history)
    kept = {r["training"]: int(r["epoch"]) for r in history if r["best"] == "1"}
    assert list(kept) == ["first", "first-1", "first-2", "refit"]
    assert kept["refit"] == choices["epoch"] == sorted(list(kept.values())[:3])[1]
    cohort = read_cohort(cohort_file, labels_of(recipe))
    extraction = extract(cohort, plan_of(recipe, store), Place(workers=0))
    model = model_of(recipe, extraction.width, 2, 0)
    load_model(fold.first(2), model)
    row = next(row for row in rows if row["part"] == "2")
    case = next(case for case in cohort.cases if case.id == row["case_id"])
    ((said,),) = judge([FoldModel(0, recipe, model)], [case], extraction, evidence="none")
    calibrated = apply_temperature(said.raw[None], choices["temperature"], choices["shift"])[0]
    assert calibrated[1] == pytest.approx(float(row["probability_mutated"]), abs=1e-9)
    before = fold.model.read_bytes()
    for name in ("model.safetensors", "choices.json", "first-2.safetensors"):
        (fold.root / name).unlink()
    assert run(recipe, cohort_file, settings).folds == "1 learnt, 1 reused"
    assert fold.model.read_bytes() == before


def test_inner_folds_without_a_model_of_all_patients_are_refused() -> None:
    with pytest.raises(RecipeError, match="set `refit: true`"):
        quick("protocol.inner=3")
