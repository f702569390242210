"""One model of all labelled cases, for images that nobody has labelled.

Nothing is left to choose on: epochs, threshold, temperature and what a head chooses are the medians
of what the folds chose. No figure of the run is of this model; the folds tell how good its like is.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from wholecase.assemble import schedule_of
from wholecase.cohort import Case
from wholecase.core.digest import digest
from wholecase.core.errors import RecipeError
from wholecase.core.files import read_json, write_json
from wholecase.core.progress import progress
from wholecase.execution import parallel_map
from wholecase.experiment.fold_job import FoldJob
from wholecase.experiment.keys import learnt_key
from wholecase.experiment.learning import teach_all
from wholecase.experiment.outer import Bench
from wholecase.models import facts_of_model
from wholecase.recipes import Recipe
from wholecase.runs import FINAL
from wholecase.training import Followed, factors_over


@dataclass(frozen=True)
class _Medians:
    """Of what the folds chose."""

    epochs: int
    threshold: float | None
    temperature: float
    shift: list[float]
    head: dict[str, Any]


def check_final(recipe: Recipe) -> None:
    """Refuse a recipe whose rates depend on inner patients, of whom a final model has none.

    Raises:
        RecipeError: its schedule is `plateau`.
    """
    if recipe.train.schedule.name == "plateau":
        raise RecipeError(
            "a final model has no inner patients whose score could slow it down; set "
            "train.schedule=constant or cosine, or run without --final"
        )


def teach_final(bench: Bench) -> None:
    """Learn from all cases of a bench whose folds have learnt, as far as not done already."""
    medians = _medians([read_json(bench.run.fold(f.number).choices) for f in bench.folds])
    cases = tuple(case for case in bench.cases if case.target is not None)
    job = FoldJob(
        recipe=bench.recipe,
        fold=replace(bench.folds[0], number=FINAL),  # lends its name alone: nobody is asked
        extraction=bench.extraction,
        classes=bench.classes,
        run=bench.run,
        device=bench.place.device,
        again=cases,
    )
    with progress("final model", medians.epochs, "epochs") as advance:
        works = parallel_map(
            _Teach(medians.epochs),
            [job],
            workers=bench.place.crew(1),
            heard=lambda _, news: advance(**news) if isinstance(news, dict) else advance(),
        )
        for done in works:
            if done.error is not None:
                raise done.error
    _write_choices(job, medians, cases)


@dataclass(frozen=True)
class _Teach:
    """The work of one process."""

    epochs: int

    def __call__(self, job: FoldJob) -> None:
        # as many threads as the recipe says: a product split differently rounds differently
        torch.set_num_threads(job.recipe.train.threads)
        schedule = schedule_of(job.recipe, job.kind)
        course = Followed(factors_over(schedule.course, schedule.epochs, self.epochs))
        followed = replace(schedule, epochs=self.epochs, course=course, patience=None)
        key = _key(job, self.epochs)
        if facts_of_model(job.folder.model).get("key") != key:
            teach_all(job, followed, key)


def _key(job: FoldJob, epochs: int) -> str:
    learnt = learnt_key(job.recipe, job.fold, job.extraction, job.again)
    return digest(learnt=learnt, epochs=epochs)


def _medians(chosen: Sequence[dict[str, Any]]) -> _Medians:
    thresholds = [one["threshold"] for one in chosen if one["threshold"] is not None]
    heads = [one.get("head", {}) for one in chosen]
    return _Medians(
        epochs=statistics.median_low([one["epoch"] + 1 for one in chosen]),
        threshold=statistics.median(thresholds) if thresholds else None,
        temperature=statistics.median([one["temperature"] for one in chosen]),
        shift=[
            *map(statistics.median, zip(*(one.get("shift", ()) for one in chosen), strict=True))
        ],
        head={name: statistics.median_low([own[name] for own in heads]) for name in heads[0]},
    )


def _write_choices(job: FoldJob, medians: _Medians, cases: Sequence[Case]) -> None:
    facts = {
        "key": _key(job, medians.epochs),
        "epoch": medians.epochs - 1,
        "threshold": medians.threshold,
        "temperature": medians.temperature,
        **({"shift": medians.shift} if medians.shift else {}),
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        **({"head": medians.head} if medians.head else {}),
    }
    write_json(job.folder.choices, facts)
