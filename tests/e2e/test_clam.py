"""The whole recipe on bags of 1 to 17 instances: its head, rules for slides, balance."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from toys.feature_files import trident
from toys.quick import quick
from wholecase.answer import judge, load_run, read_case
from wholecase.assemble import labels_of, plan_of
from wholecase.cohort import read_cohort
from wholecase.execution import Place
from wholecase.experiment import Settings, Summary, run
from wholecase.explain import read_evidence
from wholecase.extract import extract
from wholecase.models import HEADS, Batch
from wholecase.recipes import read_recipe
from wholecase.runs import read_rows

WIDTH = 8
RUNS = {
    "together": ("model.head.class_weights=balanced",),
    "slide by slide": ("model.images=max", "batches.balance=class", "model.head.dropout=0.1"),
}


@pytest.fixture(scope="module")
def cohort_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A third are mutated; slides of 1 to 17 tiles, up to three a patient, one of which speaks."""
    folder, rng = tmp_path_factory.mktemp("bags"), np.random.default_rng(2)
    rows = ["case_id,patient_id,path,label,kind"]
    for number in range(34):
        mutated = number % 3 == 0
        for slide in range(1 + number % 3 if number >= 17 else 1):
            values = rng.normal(size=(1 + number % 17, WIDTH))
            if mutated and slide == 0:
                values[: 1 + len(values) // 3, 3] += 5
            name = f"{number:02}-{slide}.h5"
            trident(folder / name, values)
            label = ("wild-type", "mutated")[mutated]
            rows.append(f"c{number:02},p{number:02},{name},{label},features")
    path = folder / "cohort.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def trained(cohort_file: Path, folder: Path, *overrides: str) -> Summary:
    few = ("encoder=stored", "protocol.folds=2", "train.epochs=8", "evaluate.bootstrap=100")
    return run(quick(*few, *overrides), cohort_file, Settings(out=folder, place=Place(workers=0)))


def single(values: torch.Tensor) -> Batch:
    bounds = torch.tensor([0, len(values)])
    return Batch(values, bounds, ("x",), ("x",), images=bounds)


@pytest.fixture(scope="module")
def runs(cohort_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Summary]:
    """Tests must not change them."""
    root = tmp_path_factory.mktemp("runs")
    return {name: trained(cohort_file, root / name, *told) for name, told in RUNS.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_bags_of_every_size_train_and_answer(runs: dict[str, Summary], name: str) -> None:
    summary = runs[name]
    assert summary.metrics["pooled"]["auroc"]["value"] > 0.85
    model = load_run(summary.run.root, "cpu").members[0].model
    assert isinstance(model.head, HEADS["clam"])
    assert {int(row["instances"]) for row in read_rows(summary.run.cases)} >= set(range(1, 18))
    for row in read_rows(summary.run.cases):
        evidence = read_evidence(summary.run.evidence(row["case_id"]))
        assert len(evidence.weights) == int(row["instances"])
        np.testing.assert_allclose(evidence.weights.sum(0), 1, atol=1e-5)
        if name == "slide by slide":
            assert len(set(evidence.image[evidence.weights[:, 0] > 0])) == 1


def test_slide_by_slide_a_case_is_as_suspicious_as_its_worst_slide(
    runs: dict[str, Summary], cohort_file: Path
) -> None:
    summary = runs["slide by slide"]
    recipe = read_recipe(str(summary.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    store = summary.run.root.parent / "features"
    extraction = extract(cohort, plan_of(recipe, store), Place(workers=0))
    member = load_run(summary.run.root, "cpu").members[0]
    several = [case for case in cohort.cases if len(case.images) > 1]
    for (told,) in judge([member], several, extraction):
        example = read_case(told.case, extraction).example
        alone = [
            float(member.model(single(example.values[example.image == i])).logits.detach())
            for i in range(len(told.case.images))
        ]
        assert told.raw[1] == pytest.approx(1 / (1 + np.exp(-max(alone))), abs=1e-5)


def test_weights_are_those_of_the_training_cases_alone(runs: dict[str, Summary]) -> None:
    summary = runs["together"]
    labels = {row["case_id"]: row["label"] for row in read_rows(summary.run.cases)}
    classes = json.loads(summary.run.facts.read_text())["classes"]
    for fold in ("0", "1"):
        sides = [row for row in read_rows(summary.run.splits) if row["fold"] == fold]
        train = [labels[row["case_id"]] for row in sides if row["side"] == "train"]
        expected = [len(train) / 2 / train.count(name) for name in classes]
        state = load_file(summary.run.fold(int(fold)).model)
        np.testing.assert_allclose(state["head.weigh.weights"], expected, rtol=1e-6)


def test_the_mean_takes_the_same_head(cohort_file: Path, tmp_path: Path) -> None:
    summary = trained(cohort_file, tmp_path / "run", "model.aggregator=mean", "train.epochs=2")
    assert 0 <= summary.metrics["pooled"]["auroc"]["value"] <= 1
