"""Clinical columns beside the images: learnt, judged by, told, and asked for by name."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from toys.quick import quick
from wholecase.answer import judge, load_run
from wholecase.assemble import bags_of, check_recipe
from wholecase.core.errors import ManifestError, RecipeError
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, ask, question_of, run
from wholecase.explain import read_evidence
from wholecase.recipes import read_recipe
from wholecase.report.read import read_run
from wholecase.runs import read_rows

COLUMNS = "cohort.covariates={age: number, ward: category}"


def told(cohort_file: Path, folder: Path, *, ages: bool = True) -> Path:
    """The same tiles under labels that nothing in them tells: age does."""
    rng = np.random.default_rng(2)
    rows = read_rows(cohort_file)
    label, age = {}, {}
    for number, patient in enumerate(dict.fromkeys(row["patient_id"] for row in rows)):
        label[patient] = ("wild-type", "mutated")[rng.permutation(2)[0]]
        age[patient] = round(rng.normal(70 if label[patient] == "mutated" else 40, 4), 1)
        if number == 5:
            age[patient] = ""
    for row in rows:
        who = row["patient_id"]
        row |= {"label": label[who], "path": str(cohort_file.parent / row["path"])}
        if ages:
            row |= {"age": age[who], "ward": "Z" if who == "p03" else "A"}
    path = folder / "clinical.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture(scope="module")
def clinical(finished: Summary, cohort_file: Path, tmp_path_factory) -> Summary:
    folder = tmp_path_factory.mktemp("clinical")
    hasty = ("train.epochs=3", "protocol.folds=2", "train.optimizer.covariates=0.1")
    recipe = quick(COLUMNS, *hasty, "evaluate.pictures=0", "evaluate.bootstrap=100")
    store = finished.run.root.parent / "features"
    settings = Settings(out=folder / "run", store=store, place=Place(workers=0))
    return run(recipe, told(cohort_file, folder), settings)


def test_age_is_learnt_and_what_is_missing_or_strange_is_told(clinical: Summary) -> None:
    assert clinical.metrics["pooled"]["auroc"]["value"] > 0.9
    notes = clinical.metrics["notes"]
    assert any("column 'age': 1 of 23 patients have no value" in note for note in notes)
    (strange,) = [note for note in notes if "counts as missing" in note]
    assert strange.startswith("The category 'Z' of 'ward' had no patient who taught fold ")
    assert set(notes) <= set(read_run(clinical.run.root).notes)


def test_evidence_is_of_the_images_alone(clinical: Summary) -> None:
    trained = load_run(clinical.run.root, "cpu")
    member = trained.members[0]
    case = next(row for row in read_rows(clinical.run.predictions) if row["fold"] == "0")
    said = read_evidence(clinical.run.evidence(case["case_id"])).logits
    with torch.no_grad():
        member.model.covariates.weight.fill_(100.0)
    cohort = question_of(clinical.run.root, cohort=_manifest(clinical)).cohort
    asked = next(one for one in cohort.cases if one.id == case["case_id"])
    extraction = bags_of(trained.recipe, cohort, _store(clinical), Place(workers=0))
    (judged,) = (one for (one,) in judge([member], [asked], extraction))
    np.testing.assert_allclose(judged.evidence.logits, said, atol=1e-4)


def test_each_fold_keeps_what_its_own_patients_taught(clinical: Summary) -> None:
    members = load_run(clinical.run.root, "cpu").members
    sides = read_rows(clinical.run.splits)
    ages = {row["patient_id"]: row["age"] for row in read_rows(_manifest(clinical))}
    for member in members:
        taught = {r["patient_id"] for r in sides if _teaches(r, member.fold)}
        own = [float(ages[patient]) for patient in sorted(taught) if ages[patient]]
        mean, spread = member.model.covariates.mean[0], member.model.covariates.spread[0]
        torch.testing.assert_close(mean.item(), np.mean(own))
        torch.testing.assert_close(spread.item(), np.std(own))


def test_a_finished_run_asks_for_the_columns_by_name(
    clinical: Summary, cohort_file: Path, tmp_path: Path
) -> None:
    root, store = clinical.run.root, clinical.run.root.parent / "features"
    with pytest.raises(ManifestError, match="asks for the columns age, ward"):
        question_of(root, [cohort_file.parent / "00-0.png"])
    with pytest.raises(ManifestError, match="age"):
        question_of(root, cohort=told(cohort_file, tmp_path, ages=False))
    rows = ["case_id,patient_id,path,kind,age,ward"]
    tile = cohort_file.parent / "00-0.png"
    rows += [f"old,x,{tile},tile,75,A", f"young,y,{tile},tile,35,A", f"new,z,{tile},tile,,Q"]
    asked_of = tmp_path / "ask.csv"
    asked_of.write_text("\n".join(rows) + "\n")
    asked = ask(question_of(root, cohort=asked_of), store=store, place=Place(workers=0))
    old, young, new = (one.shares["mutated"] for one in asked.judgements)
    assert young < new < old
    (strange,) = asked.notes
    assert "'Q' of 'ward' had no patient who taught fold 0, fold 1" in strange


def test_mixed_cases_are_refused() -> None:
    mixing = ["train.augment={mixup: 0.2}", "batches.cases=4"]
    with pytest.raises(RecipeError, match="mixup mixes cases"):
        check_recipe(read_recipe("egfr-clam", [COLUMNS, *mixing]), weights=False)


def _teaches(row: dict[str, str], fold: int) -> bool:
    return row["fold"] == str(fold) and row["side"] == "train"


def _store(clinical: Summary) -> Path:
    return clinical.run.root.parent / "features"


def _manifest(clinical: Summary) -> Path:
    return clinical.run.root.parent / "clinical.csv"
