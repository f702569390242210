"""One outer fold: learn, choose on inner patients, then look at the test patients once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from wholecase.answer import (
    Faithfulness,
    Judged,
    examples_of,
    faithfulness,
    judge_cases,
    localise,
    read_choices,
)
from wholecase.assemble import batches_of, model_of, schedule_of
from wholecase.cohort import Case, Fold
from wholecase.core.digest import digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.core.seeds import generator, seed_of
from wholecase.execution import freed_memory_kept
from wholecase.explain import write_evidence
from wholecase.extract import Extraction
from wholecase.models import CaseModel, load_model, predict, save_model
from wholecase.recipes import Recipe
from wholecase.runs import FoldFolder, RunFolder, write_rows
from wholecase.training import Choices, History, Inner, Keep, choose, fit

MOST_EXPLAINED = 1000
"""With more test cases in a fold, only those that will be shown get evidence."""


@dataclass(frozen=True)
class FoldJob:
    """All that a fold needs; travels to a worker process."""

    recipe: Recipe
    fold: Fold
    """Only cases that have a bag."""
    extraction: Extraction
    classes: tuple[str, ...]
    run: RunFolder
    device: str
    key: str
    """Digest of everything that determines the fold; a trained fold of another key is redone."""

    @property
    def folder(self) -> FoldFolder:
        """Where the fold keeps its things."""
        return self.run.fold(self.fold.number)

    @property
    def seed(self) -> int:
        """The fold's own seed."""
        return seed_of(self.recipe.protocol.seed, "fold", self.fold.number)


@dataclass(frozen=True)
class Outcome:
    """A test case and what the fold's model said of it."""

    case: Case
    fold: int
    probabilities: tuple[float, ...]
    """Calibrated."""
    decision: int
    localisation: float | None
    faithfulness: Faithfulness | None = None
    """Of a case that was decided rightly, and for two classes is positive."""


def run_fold(job: FoldJob) -> list[Outcome]:
    """Train the fold unless it is trained already, and judge its test cases."""
    # as many threads as the recipe says: a matrix product split differently rounds differently
    torch.set_num_threads(job.recipe.train.threads)
    classes, targets = len(job.classes), [case.target for case in job.fold.train]
    counts = [targets.count(label) for label in range(classes)]
    model = model_of(job.recipe, job.extraction.width, classes, job.seed, counts)
    if not _is_trained(job):
        model = model.to(job.device)
        history = _learn(job, model)
        inner, choices = _chosen(job, model)
        _keep_inner(job, inner, choices)
        _keep(job, model, history, choices)
    load_model(job.folder.model, model)
    model = model.to(job.device).eval()
    few = len(job.fold.test) <= MOST_EXPLAINED
    return list(_judged(job, model) if few else _predicted(job, model))


def explain_fold(job: FoldJob) -> list[Outcome]:
    """Judge the test cases of a trained fold with evidence, which a large cohort has for few."""
    torch.set_num_threads(job.recipe.train.threads)
    model = model_of(job.recipe, job.extraction.width, len(job.classes), job.seed)
    load_model(job.folder.model, model)
    return list(_judged(job, model.to(job.device).eval()))


def _is_trained(job: FoldJob) -> bool:
    folder = job.folder
    if not (folder.choices.is_file() and folder.model.is_file()):
        return False
    return bool(read_json(folder.choices).get("key") == job.key)


def _learn(job: FoldJob, model: CaseModel) -> History:
    sides = {}
    for side in ("train", "valid"):
        cases = job.fold.sides()[side]
        _require(job, side, cases)
        examples = examples_of(cases, job.extraction, classes=len(job.classes))
        sides[side] = batches_of(job.recipe, examples, seed_of(job.seed, side))
    keep = Keep(job.folder.last, job.key)
    schedule = schedule_of(job.recipe)
    with freed_memory_kept():
        return fit(model, (sides["train"], sides["valid"]), schedule, seed=job.seed, keep=keep)


def _require(job: FoldJob, side: str, cases: tuple[Case, ...]) -> None:
    missing = set(range(len(job.classes))) - {case.target for case in cases}
    if side == "train" and missing:
        raise RunError(
            f"fold {job.fold.number} has no training case of class {job.classes[min(missing)]!r} "
            "left after exclusions; use fewer folds or more patients"
        )
    if not cases:
        raise RunError(
            f"fold {job.fold.number} has no inner validation patients to choose the epoch on; "
            "raise protocol.validation"
        )


def _chosen(job: FoldJob, model: CaseModel) -> tuple[Inner, Choices]:
    cases = job.fold.valid
    examples = examples_of(cases, job.extraction, classes=len(job.classes))
    told = predict(model, batches_of(job.recipe, examples, 0).once())
    truth = np.array([case.target for case in cases], dtype=np.int64)
    inner = Inner(job.fold, told.cases, truth, told.probabilities)
    rules = job.recipe.choose
    return inner, choose(inner, threshold=rules.threshold, calibration=rules.calibration)


def _keep_inner(job: FoldJob, inner: Inner, choices: Choices) -> None:
    """What the choices were made on, to the last digit: the rule, applied again, agrees."""
    patients = {case.id: case.patient for case in job.fold.valid}
    named = [f"probability_{name}" for name in job.classes]
    calibrated = choices.calibrated(inner.probabilities).tolist()
    rows = [
        {
            "case_id": case,
            "patient_id": patients[case],
            "label": job.classes[target],
            **dict(zip(named, map(repr, told), strict=True)),
        }
        for case, target, told in zip(inner.cases, inner.truth.tolist(), calibrated, strict=True)
    ]
    write_rows(job.folder.inner, ["case_id", "patient_id", "label", *named], rows)


def _keep(job: FoldJob, model: CaseModel, history: History, choices: Choices) -> None:
    folder = job.folder
    columns = ("epoch", "train_loss", "valid_loss", "best")
    rows = [
        dict(
            zip(
                columns,
                (e.number, e.train_loss, e.valid_loss, int(e.number == history.best)),
                strict=True,
            )
        )
        for e in history.epochs
    ]
    write_rows(folder.history, columns, rows)
    save_model(folder.model, model, {"recipe": job.recipe.recipe, "key": job.key})
    facts: dict[str, Any] = {
        "key": job.key,
        "epoch": history.best,
        "threshold": choices.threshold,
        "threshold_rule": job.recipe.choose.threshold if choices.threshold is not None else None,
        "temperature": choices.temperature,
        "inner_cases": len(job.fold.valid),
        "inner_patients": len({case.patient for case in job.fold.valid}),
    }
    write_json(folder.choices, facts)  # last: says that the fold is trained
    folder.last.unlink(missing_ok=True)


def _judged(job: FoldJob, model: CaseModel) -> Iterator[Outcome]:
    choices = read_choices(job.folder)
    for judged in judge_cases(model, job.fold.test, job.extraction):
        calibrated = choices.calibrated(judged.probabilities[None])
        case, evidence = judged.case, judged.evidence
        write_evidence(job.run.evidence(case.id), evidence)
        sizes = {
            i: s for i, image in enumerate(case.images) if (s := job.extraction.size_px(image))
        }
        decision = int(choices.decide(calibrated)[0])
        yield Outcome(
            case=case,
            fold=job.fold.number,
            probabilities=tuple(calibrated[0].tolist()),
            decision=decision,
            localisation=localise(case, evidence, sizes),
            faithfulness=_faithfulness(job, model, judged, decision),
        )


def _predicted(job: FoldJob, model: CaseModel) -> Iterator[Outcome]:
    """Many cases to a batch, and no evidence."""
    choices, cases = read_choices(job.folder), job.fold.test
    examples = examples_of(cases, job.extraction, classes=0)
    told = predict(model, batches_of(job.recipe, examples, 0).once())
    calibrated = choices.calibrated(told.probabilities)
    decided = choices.decide(calibrated).tolist()
    for case, row, decision in zip(cases, calibrated.tolist(), decided, strict=True):
        yield Outcome(case, job.fold.number, tuple(row), decision, localisation=None)


def _faithfulness(
    job: FoldJob, model: CaseModel, judged: Judged, decision: int
) -> Faithfulness | None:
    target = judged.case.target
    if target is None or decision != target or (len(job.classes) == 2 and target == 0):
        return None
    rng = generator(job.seed, "faithfulness", judged.case.id)
    weights = judged.evidence.weights.mean(1).astype(np.float64)
    return faithfulness(model, judged.example, weights, target, rng)


def fold_key(recipe: Recipe, fold: Fold, extraction: Extraction) -> str:
    """Everything that determines a fold's model, in twenty digits."""
    parts = recipe.model_dump(mode="json", include={"model", "batches", "train", "choose"})
    sides = {
        side: [[case.id, case.patient, case.target, extraction.keys(case.images)] for case in cases]
        for side, cases in fold.sides().items()
        if side != "test"
    }
    return digest(
        schema=1,
        parts=parts,
        sides=sides,
        seed=recipe.protocol.seed,
        number=fold.number,
        width=extraction.width,
    )
