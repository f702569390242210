"""What an instance says is its weight times what it would say alone, against the mean."""

import json
from pathlib import Path

import numpy as np
import torch

from e2e.conftest import cohort_file as _cohort_file
from e2e.conftest import finished as _finished
from wholecase.answer import judge_cases, load_run
from wholecase.assemble import labels_of, plan_of
from wholecase.cohort import read_cohort
from wholecase.experiment import Summary
from wholecase.extract import extract
from wholecase.models import Batch
from wholecase.recipes import read_recipe

cohort_file, finished = _cohort_file, _finished


def test_evidence_is_weight_times_logit_against_the_mean(
    finished: Summary, cohort_file: Path
) -> None:
    recipe = read_recipe(str(finished.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    plan = plan_of(recipe, finished.run.root.parent / "features", "cpu")
    extraction = extract(cohort, plan, workers=0)
    model = load_run(finished.run.root, "cpu").members[0].model
    judged = list(judge_cases(model, cohort.cases[:5], extraction))
    for told in judged:
        values = told.example.values
        with torch.no_grad():
            alone = [
                model(Batch(v[None], torch.tensor([0, 1]), ("x",), ("x",))).logits[0]
                for v in values
            ]
            pooled = model(Batch(values, torch.tensor([0, len(values)]), ("x",), ("x",))).pooled
            mean = model.head.logits(pooled.instances.mean(0)[None, None])[0]
            naive = torch.stack(
                [w * (a - mean) for w, a in zip(pooled.weights, alone, strict=True)]
            )
        np.testing.assert_allclose(told.evidence.logits, naive.numpy(), atol=1e-5)


def test_a_case_is_judged_alike_in_any_company(finished: Summary, cohort_file: Path) -> None:
    recipe = read_recipe(str(finished.run.recipe))
    cohort = read_cohort(cohort_file, labels_of(recipe))
    plan = plan_of(recipe, finished.run.root.parent / "features", "cpu")
    extraction = extract(cohort, plan, workers=0)
    model = load_run(finished.run.root, "cpu").members[0].model
    together = list(judge_cases(model, cohort.cases[:4], extraction))
    (alone,) = judge_cases(model, cohort.cases[2:3], extraction)
    np.testing.assert_array_equal(together[2].probabilities, alone.probabilities)


def test_the_fold_models_speak_together(finished: Summary, cohort_file: Path) -> None:
    trained = load_run(finished.run.root, "cpu")
    cohort = read_cohort(cohort_file, labels_of(trained.recipe))
    plan = plan_of(trained.recipe, finished.run.root.parent / "features", "cpu")
    extraction = extract(cohort, plan, workers=0)
    (answer,) = trained.answer(cohort.cases[:1], extraction)
    rows = np.stack(
        [
            m.choices.calibrated(
                next(judge_cases(m.model, cohort.cases[:1], extraction)).probabilities[None]
            )[0]
            for m in trained.members
        ]
    )
    np.testing.assert_allclose(answer.probabilities, rows.mean(0))
    thresholds = [
        json.loads(finished.run.fold(n).choices.read_text())["threshold"] for n in range(3)
    ]
    assert answer.decision == int(rows.mean(0)[1] > np.median(thresholds))
    np.testing.assert_allclose(answer.evidence.weights.sum(), 1, atol=1e-5)
