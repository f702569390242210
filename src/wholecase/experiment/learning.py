"""One outer fold: learn, and choose on inner patients; test patients are not looked at here.

With `protocol.refit` a first model learns on the training side and makes the choices, the number of
epochs among them; the model that is kept then learns from training and inner patients together.
With `protocol.inner` several first models do so, each asked about other patients.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from wholecase.answer import examples_of, familiar_of, write_familiar
from wholecase.assemble import batches_of, schedule_of
from wholecase.cohort import Case
from wholecase.core.digest import digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json, write_json
from wholecase.core.seeds import seed_of
from wholecase.execution import freed_memory_kept, tell
from wholecase.experiment.choosing import choose_in
from wholecase.experiment.fold_job import FoldJob
from wholecase.models import CaseModel, facts_of_model, save_model
from wholecase.runs import write_rows
from wholecase.training import (
    Batches,
    Epoch,
    Followed,
    History,
    Keep,
    Schedule,
    Shelf,
    fit,
    in_all,
    metric_told,
)

Fate = Literal["learnt", "chosen", "reused"]
"""What became of a fold: all anew, its choices anew, or nothing to do."""


@dataclass(frozen=True)
class _Lesson:
    """One training of a fold."""

    key: str
    train: tuple[Case, ...]
    valid: tuple[Case, ...]
    """Nobody where the number of epochs is known."""
    schedule: Schedule
    name: str = ""
    """Tells it from the fold's others."""


def learn_fold(job: FoldJob) -> Fate:
    """Learn and choose, as far as that was not done already."""
    # as many threads as the recipe says: a matrix product split differently rounds differently
    torch.set_num_threads(job.recipe.train.threads)
    learnt = _is_learnt(job)
    if learnt and _is_chosen(job):
        return "reused"
    if not learnt:
        _learn(job)
    _keep_familiar(job)
    choose_in(job)
    return "chosen" if learnt else "learnt"


def is_done(job: FoldJob) -> bool:
    """Whether there is nothing left to learn or to choose, as the keys in its folder say."""
    return _is_learnt(job) and _is_chosen(job)


def teach_all(job: FoldJob, schedule: Schedule, key: str) -> None:
    """Learn once from `job.again`, to the last epoch, and keep the model under the key."""
    model, history = _taught(job, _Lesson(key, job.again, (), schedule, "refit"))
    _write_history(job, {"refit": history})
    save_model(job.folder.model, model, {"recipe": job.recipe.recipe, "key": key})
    job.folder.last.unlink(missing_ok=True)


def _is_learnt(job: FoldJob) -> bool:
    if not job.folder.history.is_file() or _key(job.folder.model) != job.learnt:
        return False
    firsts = range(len(job.parts)) if job.again else ()
    return all(_key(job.folder.first(n)) == _first_key(job, n) for n in firsts)


def _is_chosen(job: FoldJob) -> bool:
    if not job.folder.choices.is_file() or not job.folder.familiar.is_file():
        return False
    return bool(read_json(job.folder.choices).get("key") == job.chosen)


def _key(path: Path) -> object:
    return facts_of_model(path).get("key")


def _first_key(job: FoldJob, part: int) -> str:
    return f"{job.learnt} {job.folder.first(part).stem}"


def _learn(job: FoldJob) -> None:
    """Keep the fold's model, and before it all that it rests on: it says that all is learnt."""
    fold, schedule = job.fold, schedule_of(job.recipe, job.kind)
    histories = {}
    lesson = _Lesson(job.learnt, fold.train, fold.valid, schedule)
    if job.again:
        histories = {job.folder.first(n).stem: _first(job, n) for n in range(len(job.parts))}
        followed = _followed(schedule, list(histories.values()))
        lesson = _Lesson(job.learnt, job.again, (), followed, "refit")
    model, histories[lesson.name] = _taught(job, lesson)
    _write_history(job, histories)
    write_json(job.folder.times, in_all(h.tempo for h in histories.values()).to_json())
    save_model(job.folder.model, model, {"recipe": job.recipe.recipe, "key": job.learnt})
    job.folder.last.unlink(missing_ok=True)


def _first(job: FoldJob, number: int) -> History:
    """How a model learnt that is only to choose; it is kept beside the one that will answer."""
    part, path, key = job.parts[number], job.folder.first(number), _first_key(job, number)
    lesson = _Lesson(key, part.train, part.valid, schedule_of(job.recipe, job.kind), path.stem)
    facts = facts_of_model(path)
    if facts.get("key") == lesson.key:
        return History(tuple(Epoch(*row) for row in facts["epochs"]), facts["best"])
    model, history = _taught(job, lesson)
    curve = {"epochs": [astuple(epoch) for epoch in history.epochs], "best": history.best}
    facts = {"recipe": job.recipe.recipe, "key": lesson.key, **curve}
    save_model(path, model, facts)
    return history


def _followed(schedule: Schedule, firsts: Sequence[History]) -> Schedule:
    """As long as the first trainings were best, at their rates: those of their stages and course.

    Of several the median counts: of the number of epochs, and in each epoch of the rates.
    """
    epochs = statistics.median_low([first.best + 1 for first in firsts])
    factors = tuple(
        statistics.median_low([f.epochs[n].factor for f in firsts if n < len(f.epochs)])
        for n in range(epochs)
    )
    return replace(schedule, epochs=len(factors), course=Followed(factors), patience=None)


def _taught(job: FoldJob, lesson: _Lesson) -> tuple[CaseModel, History]:
    _require(job, lesson)
    model = job.fresh_model(lesson.train)
    train = _batches(job, lesson.train, "train")
    model.begin(train.once())
    model = model.to(job.device)
    valid = _batches(job, lesson.valid, "valid") if lesson.valid else None
    with freed_memory_kept():
        history = fit(
            model,
            (train, valid),
            _shelved(job, lesson),
            seed=job.seed,
            keep=Keep(job.folder.last, lesson.key),
            on_epoch=lambda epoch: _report(job, lesson, epoch),
        )
    return model, history


def _shelved(job: FoldJob, lesson: _Lesson) -> Schedule:
    """What sleeping parts make of a case is kept once for all folds of the run."""
    schedule = lesson.schedule
    if schedule.reuse is None:
        return schedule
    change = job.recipe.train.augment
    contents = {
        case.id: digest(shown=job.extraction.keys(case.images), label=case.target, change=change)
        for case in (*lesson.train, *lesson.valid)
    }
    shelf = Shelf(job.run.kept, contents, job.recipe.protocol.seed)
    return replace(schedule, reuse=replace(schedule.reuse, shelf=shelf))


def _batches(job: FoldJob, cases: tuple[Case, ...], side: str) -> Batches:
    examples = examples_of(cases, job.extraction, classes=len(job.classes))
    return batches_of(job.recipe, examples, seed_of(job.seed, side))


def _report(job: FoldJob, lesson: _Lesson, epoch: Epoch) -> None:
    told = {
        "loss": epoch.train_loss,
        "inner": epoch.valid_loss,
        _metric(job): epoch.valid_metric,
        "p_positive": epoch.valid_p_positive,
        "p_negative": epoch.valid_p_negative,
        "separation": epoch.valid_separation,
    }
    tell(
        {
            "fold": job.fold.number,
            **({"training": lesson.name} if lesson.name else {}),
            "epoch": epoch.number,
            **{name: round(value, 4) for name, value in told.items() if value is not None},
            **{name: round(value, 4) for name, value in epoch.figures.items()},
        }
    )


def _metric(job: FoldJob) -> str:
    return metric_told(schedule_of(job.recipe, job.kind).watch)


def _keep_familiar(job: FoldJob) -> None:
    """What the training cases look like; nothing of it is learnt by the model."""
    sides = job.fold.train, job.fold.valid
    model = job.fresh_model(job.fold.train).to(job.device)
    familiar = familiar_of(model, job.recipe, sides, job.extraction, seed=job.seed)
    write_familiar(job.folder.familiar, familiar)


def _require(job: FoldJob, lesson: _Lesson) -> None:
    missing = set(range(len(job.classes))) - {case.target for case in lesson.train}
    if missing:
        raise RunError(
            f"fold {job.fold.number} has no training case of class {job.classes[min(missing)]!r} "
            "left after exclusions; use fewer folds or more patients"
        )
    if not lesson.valid and lesson.name != "refit":
        raise RunError(
            f"fold {job.fold.number} has no inner validation patients to choose the epoch on; "
            "raise protocol.validation"
        )


def _write_history(job: FoldJob, histories: dict[str, History]) -> None:
    """The learning curves; which training an epoch is of is told where there are several."""
    metric = f"valid_{_metric(job)}"
    columns = ["epoch", "train_loss", "valid_loss", metric]
    if len(job.classes) == 2:
        columns += ["valid_p_positive", "valid_p_negative", "valid_separation"]
    epochs = [epoch for history in histories.values() for epoch in history.epochs]
    columns += dict.fromkeys(name for epoch in epochs for name in epoch.figures)
    columns = list(dict.fromkeys([*columns, "best"]))  # separation itself may be watched
    if len(histories) > 1:
        columns.insert(0, "training")
    rows = [row for name, history in histories.items() for row in _rows(name, history, metric)]
    write_rows(job.folder.history, columns, [{c: row.get(c) for c in columns} for row in rows])


def _rows(name: str, history: History, metric: str) -> Iterator[dict[str, Any]]:
    for epoch in history.epochs:
        yield {
            "training": name,
            "epoch": epoch.number,
            "train_loss": epoch.train_loss,
            "valid_loss": epoch.valid_loss,
            "valid_p_positive": epoch.valid_p_positive,
            "valid_p_negative": epoch.valid_p_negative,
            "valid_separation": epoch.valid_separation,
            metric: epoch.valid_metric,
            **epoch.figures,
            "best": int(epoch.number == history.best),
        }
