"""Cohort and recipe -> run folder, fold by fold."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from wholecase.answer import Sitting, draw, has_bag
from wholecase.assemble import bags_of, check_input, labels_of, model_of, schedule_of, split_of
from wholecase.cohort import (
    Cohort,
    Fold,
    Split,
    anonymity_note,
    read_cohort,
    refuse_identical,
    split_digest,
    write_splits,
)
from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import RunError, SplitError
from wholecase.core.files import read_json, write_json, write_text
from wholecase.core.progress import progress
from wholecase.execution import each
from wholecase.experiment.examples import draw_examples
from wholecase.experiment.facts import facts_of, write_cases, write_exclusions
from wholecase.experiment.fold import FoldJob, Outcome, explain_fold, fold_key, run_fold
from wholecase.experiment.results import write_metrics, write_predictions
from wholecase.experiment.stability import Panel, write_stability
from wholecase.experiment.tissue import keep_tissue
from wholecase.extract import Extraction, table_lines
from wholecase.models import check_precision
from wholecase.recipes import Recipe, recipe_text
from wholecase.report import write_report
from wholecase.runs import RunFolder, write_rows


@dataclass(frozen=True)
class Settings:
    """Where and with what a run is made; none of it changes a number."""

    out: Path
    store: Path | None = None
    """Features; None is `features` beside the run, shared by the runs there."""
    splits: Path | None = None
    device: str = "cpu"
    workers: int = 1
    tolerated: float = 0.1
    """Share of images that may fail before the run counts as failed."""


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    run: RunFolder
    metrics: dict[str, Any]
    cases_in: int
    cases_out: int
    images_in: int
    failures: tuple[tuple[str, str], ...]
    """(path, reason) of each image that failed."""
    too_many_failed: bool
    seconds: dict[str, float] = field(default_factory=dict)
    extraction: tuple[str, ...] = ()
    """How extraction went, in lines for people."""


def run(recipe: Recipe, cohort_file: Path, settings: Settings) -> Summary:
    """Train, evaluate and explain. A run that was stopped goes on where it was.

    Raises:
        WholecaseError: the cohort, the recipe or the folder is wrong; nothing is half-written.
    """
    clock = _Clock()
    folder = RunFolder(settings.out)
    cohort = read_cohort(cohort_file, labels_of(recipe))
    split = split_of(recipe, cohort, settings.splits)
    _try_parts(recipe, len(cohort.classes))
    check_precision(recipe.train.precision, settings.device)
    _claim(folder, recipe, cohort_file, split)
    with clock.stage("extract"):
        store = settings.store or settings.out.parent / "features"
        extraction = bags_of(
            recipe, cohort, store, device=settings.device, workers=settings.workers
        )
    refuse_identical(split, extraction.digests)
    write_splits(folder.splits, split)
    lost = write_exclusions(folder, cohort, extraction)
    folds = _usable(split, extraction)
    jobs = [
        FoldJob(
            recipe=recipe,
            fold=fold,
            extraction=extraction,
            classes=cohort.classes,
            run=folder,
            device=settings.device,
            key=fold_key(recipe, fold, extraction),
        )
        for fold in folds
    ]
    with clock.stage("train"):
        outcomes = _run_folds(jobs, cohort, settings)
    with clock.stage("compare"):
        panel = Panel(
            recipe=recipe,
            extraction=extraction,
            classes=cohort.classes,
            run=folder,
            folds=tuple(folds),
            device=settings.device,
            workers=settings.workers,
        )
        stability = write_stability(panel, outcomes)
    with clock.stage("evaluate"):
        used = [case for case in cohort.cases if has_bag(case, extraction)]
        write_cases(folder, used, extraction)
        write_predictions(folder, outcomes, cohort.classes)
        warning = anonymity_note(cohort)
        metrics = write_metrics(folder, outcomes, recipe, stability, warning)
    with clock.stage("explain"):
        keep_tissue(folder, cohort, extraction)
        shown = _with_evidence(jobs, _shown(outcomes, recipe.evaluate.pictures), settings)
        _draw_pictures(folder, outcomes, shown, settings.workers)
    facts = facts_of(recipe, cohort, split, extraction, settings.splits)
    write_json(folder.times, clock.told())
    write_json(folder.facts, {**facts, "device": settings.device})
    write_report(folder.root)
    images = sum(len(case.images) for case in cohort.cases)
    failed = tuple((str(f.path), f.reason) for f in extraction.failures)
    return Summary(
        run=folder,
        metrics=metrics,
        cases_in=len(cohort.cases),
        cases_out=lost,
        images_in=images,
        failures=failed,
        too_many_failed=len(failed) > settings.tolerated * images,
        seconds=clock.seconds,
        extraction=tuple(table_lines(extraction)),
    )


class _Clock:
    """How long each stage took."""

    def __init__(self) -> None:
        self.started = datetime.now(UTC)
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = perf_counter()
        yield
        self.seconds[name] = round(perf_counter() - begun, 2)

    def told(self) -> dict[str, Any]:
        finished = datetime.now(UTC)
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": self.seconds,
        }


def _try_parts(recipe: Recipe, classes: int) -> None:
    """A mistake in the model's options should not cost a night of extraction first."""
    check_input(recipe)
    model_of(recipe, width=8 if recipe.model.backbone is None else 3, classes=classes, seed=0)
    schedule_of(recipe)


def _claim(folder: RunFolder, recipe: Recipe, cohort_file: Path, split: Split) -> None:
    """Make the folder this run's own; refuse one that holds another run."""
    inputs = folder.root / "inputs.json"
    mine = {
        "recipe": digest(recipe=recipe.model_dump(mode="json")),
        "cohort": file_digest(cohort_file),
        "splits": split_digest(split),
    }
    if inputs.is_file():
        differing = [name for name, value in read_json(inputs).items() if mine.get(name) != value]
        # a run that failed before its first fold has nothing to lose: the mistake may be mended
        if differing and (folder.root / "folds").is_dir():
            raise RunError(
                f"{folder.root} holds a run with another {' and '.join(differing)}; "
                "choose another --out or delete the folder"
            )
    elif folder.root.is_dir() and any(folder.root.iterdir()):
        raise RunError(f"{folder.root} is not empty and no run; choose another --out")
    write_json(inputs, mine)
    write_text(folder.recipe, recipe_text(recipe))


def _usable(split: Split, extraction: Extraction) -> list[Fold]:
    """The folds without the cases of which no image could be used."""
    folds = []
    for fold in split.folds:
        train, valid, test = (
            tuple(case for case in cases if has_bag(case, extraction))
            for cases in fold.sides().values()
        )
        try:
            folds.append(replace(fold, train=train, valid=valid, test=test))
        except SplitError as error:
            raise SplitError(f"after exclusions {error}") from error
    return folds


def _run_folds(jobs: Sequence[FoldJob], cohort: Cohort, settings: Settings) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with progress("training", len(jobs), "folds") as advance:
        for done in each(run_fold, jobs, workers=_crew(jobs, settings)):
            if done.error is not None:
                raise done.error
            outcomes += done.result or []
            advance()
    order = {case.id: i for i, case in enumerate(cohort.cases)}
    return sorted(outcomes, key=lambda outcome: order[outcome.case.id])


def _crew(jobs: Sequence[FoldJob], settings: Settings) -> int:
    # folds on one accelerator would only take turns, and a single fold need not travel
    alone = settings.device != "cpu" or len(jobs) == 1
    return 0 if alone else min(settings.workers, len(jobs))


def _with_evidence(
    jobs: Sequence[FoldJob], shown: Sequence[Outcome], settings: Settings
) -> list[Outcome]:
    """The outcomes that are to be shown, with evidence also for those that have none yet."""
    lacking = {o.case.id: o.fold for o in shown if not jobs[0].run.evidence(o.case.id).is_file()}
    asked = []
    for job in jobs:
        cases = tuple(case for case in job.fold.test if lacking.get(case.id) == job.fold.number)
        if cases:
            asked.append(replace(job, fold=replace(job.fold, test=cases)))
    fuller: dict[str, Outcome] = {}
    for done in each(explain_fold, asked, workers=_crew(asked, settings) if asked else 0):
        if done.error is not None:
            raise done.error
        fuller |= {outcome.case.id: outcome for outcome in done.result or []}
    return [fuller.get(outcome.case.id, outcome) for outcome in shown]


def _shown(outcomes: Sequence[Outcome], most: int) -> list[Outcome]:
    """At most so many, the worst errors first."""
    return sorted(outcomes, key=_wrongness, reverse=True)[:most]


def _draw_pictures(
    folder: RunFolder, outcomes: Sequence[Outcome], shown: Sequence[Outcome], workers: int
) -> None:
    """Pictures of the cases that are shown; one that fails is left out."""
    sittings = [Sitting(outcome.case, folder) for outcome in shown]
    drawn: dict[str, Any] = {}
    with progress("drawing", len(sittings), "cases") as advance:
        for done in each(draw, sittings, workers=workers):
            if done.result is not None:
                drawn[done.item.case.id] = done.result
            advance()
    found = {outcome.case.id: outcome.localisation for outcome in outcomes}
    told = {case: {**drawn[case], "localisation_auc": found[case]} for case in sorted(drawn)}
    write_json(folder.pictures, told)
    draw_examples(folder, shown, told)
    rows = [
        {"case_id": o.case.id, "patient_id": o.case.patient, "localisation_auc": o.localisation}
        for o in outcomes
        if o.localisation is not None
    ]
    if rows:
        columns = ("case_id", "patient_id", "localisation_auc")
        write_rows(folder.root / "localisation.csv", columns, rows)


def _wrongness(outcome: Outcome) -> tuple[bool, float]:
    truth = outcome.case.target or 0
    return outcome.decision != truth, 1 - outcome.probabilities[truth]
