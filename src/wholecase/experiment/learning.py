"""One outer fold: learn, and choose on inner patients; test patients are not looked at here."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch

from wholecase.answer import FoldModel, examples_of, judge
from wholecase.assemble import batches_of, model_of, schedule_of
from wholecase.cohort import Case, Fold
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.core.kinds import RGB
from wholecase.core.seeds import seed_of
from wholecase.evaluation import ThresholdChoice
from wholecase.execution import freed_memory_kept, tell
from wholecase.experiment.keys import chosen_key, learnt_key
from wholecase.extract import Extraction
from wholecase.models import CaseModel, facts_of_model, load_model, save_model
from wholecase.recipes import Recipe
from wholecase.runs import FoldFolder, RunFolder, read_rows, write_rows
from wholecase.training import Choices, Epoch, History, Inner, Keep, choose, choose_head, fit

Fate = Literal["learnt", "chosen", "reused"]
"""What became of a fold: all anew, its choices anew, or nothing to do."""


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

    @cached_property
    def learnt(self) -> str:
        """A fold that was learnt under another key is learnt again."""
        return learnt_key(self.recipe, self.fold, self.extraction)

    @cached_property
    def chosen(self) -> str:
        """Choices that were made under another key are made again."""
        return chosen_key(self.learnt, self.recipe)

    @property
    def folder(self) -> FoldFolder:
        """Where the fold keeps its things."""
        return self.run.fold(self.fold.number)

    @property
    def seed(self) -> int:
        """The fold's own seed."""
        return seed_of(self.recipe.protocol.seed, "fold", self.fold.number)


def learn_fold(job: FoldJob) -> Fate:
    """Learn and choose, as far as that was not done already."""
    # as many threads as the recipe says: a matrix product split differently rounds differently
    torch.set_num_threads(job.recipe.train.threads)
    learnt = _is_learnt(job)
    if learnt and job.folder.choices.is_file():
        chosen = read_json(job.folder.choices)
        if chosen.get("key") == job.chosen:
            return "reused"
    targets = [case.target for case in job.fold.train]
    counts = [targets.count(label) for label in range(len(job.classes))]
    model = model_of(
        job.recipe,
        job.extraction.width,
        len(job.classes),
        job.seed,
        counts,
        kind=job.extraction.kind or RGB,
    )
    if learnt:
        load_model(job.folder.model, model)
        model = model.to(job.device)
    else:
        model.begin()
        model = model.to(job.device)
        _keep_model(job, model, _learn(job, model))
    _choose(job, model)
    return "chosen" if learnt else "learnt"


def _is_learnt(job: FoldJob) -> bool:
    there = job.folder.model.is_file() and job.folder.history.is_file()
    return there and facts_of_model(job.folder.model).get("key") == job.learnt


def _learn(job: FoldJob, model: CaseModel) -> History:
    sides = {}
    for side in ("train", "valid"):
        cases = job.fold.sides()[side]
        _require(job, side, cases)
        examples = examples_of(cases, job.extraction, classes=len(job.classes))
        sides[side] = batches_of(job.recipe, examples, seed_of(job.seed, side))
    keep = Keep(job.folder.last, job.learnt)
    schedule = schedule_of(job.recipe, job.extraction.kind or RGB)
    with freed_memory_kept():
        return fit(
            model,
            (sides["train"], sides["valid"]),
            schedule,
            seed=job.seed,
            keep=keep,
            told=lambda epoch: _report(job, epoch),
        )


def _report(job: FoldJob, epoch: Epoch) -> None:
    tell(
        {
            "fold": job.fold.number,
            "epoch": epoch.number,
            "loss": round(epoch.train_loss, 4),
            "inner": round(epoch.valid_loss, 4),
        }
    )


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


def _keep_model(job: FoldJob, model: CaseModel, history: History) -> None:
    columns = ("epoch", "train_loss", "valid_loss", "best")
    rows = [
        (e.number, e.train_loss, e.valid_loss, int(e.number == history.best))
        for e in history.epochs
    ]
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    write_rows(job.folder.history, columns, named)
    # says that the fold is learnt
    save_model(job.folder.model, model, {"recipe": job.recipe.recipe, "key": job.learnt})
    job.folder.last.unlink(missing_ok=True)


def _choose(job: FoldJob, model: CaseModel) -> None:
    def inner() -> Inner:
        return _inner(job, model)

    of_head = choose_head(model.head, inner)
    rules, asked = job.recipe.choose, inner()
    choices = choose(asked, threshold=rules.threshold, calibration=rules.calibration, seed=job.seed)
    _write_inner(job, asked, choices)
    best = next(row["epoch"] for row in read_rows(job.folder.history) if row["best"] == "1")
    facts: dict[str, Any] = {
        "key": job.chosen,
        "epoch": int(best),
        "threshold": choices.threshold,
        "threshold_rule": rules.threshold if choices.threshold is not None else None,
        "temperature": choices.temperature,
        "inner_cases": len(job.fold.valid),
        "inner_patients": len(set(asked.patients)),
        **({"head": of_head} if of_head else {}),
        **(_worth(choices.worth) if choices.worth else {}),
    }
    write_json(job.folder.choices, facts)  # last: says that the fold is ready


def _worth(worth: ThresholdChoice) -> dict[str, Any]:
    """What one half would have given, and how far redraws of the patients move the threshold."""
    facts = {k: v for k, v in worth.to_json().items() if k != "value"}
    return {f"threshold_{name}": value for name, value in facts.items()}


def _inner(job: FoldJob, model: CaseModel) -> Inner:
    cases = job.fold.valid
    member = FoldModel(job.fold.number, job.recipe, model)
    rows = [said.raw for (said,) in judge([member], cases, job.extraction, evidence="none")]
    truth = np.array([case.target for case in cases], dtype=np.int64)
    return Inner(job.fold, tuple(case.id for case in cases), truth, np.stack(rows))


def _write_inner(job: FoldJob, inner: Inner, choices: Choices) -> None:
    """What the choices were made on, to the last digit: the rule, applied again, agrees."""
    patients = {case.id: case.patient for case in job.fold.valid}
    named = [f"probability_{name}" for name in job.classes]
    calibrated = choices.calibrated(inner.probabilities).tolist()
    rows = [
        {
            "case_id": case,
            "patient_id": patients[case],
            "label": job.classes[target],
            **dict(zip(named, map(repr, shares), strict=True)),
        }
        for case, target, shares in zip(inner.cases, inner.truth.tolist(), calibrated, strict=True)
    ]
    write_rows(job.folder.inner, ["case_id", "patient_id", "label", *named], rows)
