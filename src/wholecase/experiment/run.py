"""Cohort and recipe -> run folder, fold by fold."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from wholecase.answer import Judgement, has_bag, write_contents
from wholecase.assemble import bags_of, check_pixels, check_recipe, labels_of, repeats_of, split_of
from wholecase.cohort import (
    Case,
    Cohort,
    Fold,
    Split,
    anonymity_note,
    inner_folds,
    read_cohort,
    refuse_identical,
    write_splits,
)
from wholecase.core.errors import RunError, SplitError
from wholecase.core.files import json_text, refuse_unwritable, write_json
from wholecase.core.os_errors import sentence_of
from wholecase.core.outlet import message, outlet
from wholecase.core.progress import progress
from wholecase.execution import Place, parallel_map
from wholecase.experiment.advice import warnings_of
from wholecase.experiment.baselines import against_baselines
from wholecase.experiment.clinical import clinical_notes
from wholecase.experiment.drawing import draw_pictures, worst
from wholecase.experiment.exchanged import lost_without
from wholecase.experiment.facts import facts_of, write_cases, write_exclusions
from wholecase.experiment.fold_job import FoldJob
from wholecase.experiment.keys import claim, is_finished
from wholecase.experiment.learning import learn_fold
from wholecase.experiment.magnifications import magnification_lines, write_magnifications
from wholecase.experiment.outer import Bench, explained, judge_bare, judge_outer
from wholecase.experiment.repeat import repeat_of
from wholecase.experiment.repeats import told_of_repeats
from wholecase.experiment.results import write_metrics, write_novelty, write_predictions
from wholecase.experiment.stability import write_stability
from wholecase.experiment.steps import shown_in_epoch, steps_told
from wholecase.experiment.summary import Summary, summary_of
from wholecase.experiment.tempo import tempo_of, tempo_told
from wholecase.experiment.tissue_pictures import keep_tissue
from wholecase.experiment.told_neighbours import neighbour_notes, write_neighbours
from wholecase.extract import KILLED, Extraction, table_lines
from wholecase.models import check_precision
from wholecase.recipes import Recipe
from wholecase.report import write_report
from wholecase.runs import RunFolder, claimed
from wholecase.sources import pixels_of


@dataclass(frozen=True)
class Settings:
    """Where and with what a run is made; none of it changes a number."""

    out: Path
    store: Path | None = None
    """Features; None is `features` beside the run, shared by the runs there."""
    splits: Path | None = None
    place: Place = field(default_factory=Place)
    baselines: bool = False
    """Whether plain models on the mean of frozen features are judged on the same folds."""
    tolerated: float = 0.1
    """Share of images that may fail before the run counts as failed."""


def run(recipe: Recipe, cohort_file: Path, settings: Settings) -> Summary:
    """Train, evaluate and explain. A run that was stopped goes on where it was.

    Where nothing can be written, a finished run of the same inputs is told as it is there.

    Raises:
        WholecaseError: the cohort, the recipe or the folder is wrong, or another process works in
            it; nothing is half-written.
        OSError: nothing can be written there, and there is no such run.
    """
    cohort = read_cohort(cohort_file, labels_of(recipe))
    splits = [split_of(own, cohort, settings.splits) for own in repeats_of(recipe)]
    _check(recipe, cohort, settings)
    folder = RunFolder(settings.out)
    try:
        refuse_unwritable(folder.facts)
    except OSError as error:
        if not is_finished(folder, recipe, cohort.path, splits[0], baselines=settings.baselines):
            raise
        message(f"note: {sentence_of(error)}; the run there is finished, and told as it is")
        return summary_of(folder, cohort, settings.tolerated)
    with claimed(settings.out):
        return _run(recipe, cohort, splits, settings)


def _run(recipe: Recipe, cohort: Cohort, splits: Sequence[Split], settings: Settings) -> Summary:
    clock, place = _Clock(), settings.place
    folder = RunFolder(settings.out)
    claim(folder, recipe, cohort.path, splits[0])
    with clock.stage("extract"):
        store = settings.store or settings.out.parent / "features"
        extraction = bags_of(recipe, cohort, store, place)
    for number, split in enumerate(splits):
        refuse_identical(split, extraction.digests)
        write_splits(folder.repeat(number).splits, split)
    lost = write_exclusions(folder, cohort, extraction)
    folder.facts.unlink(missing_ok=True)  # what lies there is no finished run until all is anew
    _refuse_nothing(extraction, folder)
    used = tuple(case for case in cohort.cases if has_bag(case, extraction))
    bench = Bench(recipe, extraction, cohort.classes, folder, (), used, place)
    bench, *others = _repeated(bench, splits)
    with clock.stage("train"):
        fates = _learn([bench, *others], cohort)
    with clock.stage("judge"):
        judged = judge_outer(bench)
        again = [(other, judge_bare(other)) for other in others]
    with clock.stage("evaluate"):
        stability = write_stability(bench, judged)
        write_cases(folder, used, extraction)
        write_magnifications(folder, cohort, extraction, splits[0])
        write_contents(folder, bench.folds, extraction)
        _write_judged(folder, judged, cohort.classes, used)
        warnings = _warned(bench, judged, cohort)
        plain = against_baselines(bench, judged) if settings.baselines else ({}, [])
        metrics = write_metrics(
            folder,
            judged,
            recipe,
            stability,
            warnings,
            plain,
            repeats=told_of_repeats([(bench, judged), *again]),
            lost=lost_without(bench, judged),
        )
    with clock.stage("explain"):
        keep_tissue(folder, cohort, extraction)
        shown = explained(bench, worst(judged, recipe.evaluate.pictures))
        draw_pictures(bench, judged, shown, place.workers)
    tempo = tempo_of([folder, *(other.run for other in others)])
    write_json(folder.times, clock.to_json() | tempo)
    facts = facts_of(recipe, cohort, splits[0], extraction, settings.splits) | {
        "device": place.device,
        "repeat": repeat_of(folder.root, cohort.path, is_split_given=settings.splits is not None),
    }
    facts = json.loads(json_text(facts))  # as they will be read, so that the page has its bytes
    write_report(folder.root, facts)
    write_json(folder.facts, facts)
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
        killed=sum(f.stage == KILLED for f in extraction.failures),
        seconds=clock.seconds,
        extraction=tuple(table_lines(extraction)),
        magnifications=tuple(magnification_lines(folder)),
        epochs=tempo_told(tempo, recipe),
        folds=fates,
        judged=len(judged),
        unlike=tuple(one.case.id for one in judged if one.is_unlike),
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

    def to_json(self) -> dict[str, Any]:
        finished = datetime.now(UTC)
        return {
            "started": self.started.isoformat(timespec="seconds"),
            "finished": finished.isoformat(timespec="seconds"),
            "seconds": self.seconds,
        }


def _check(recipe: Recipe, cohort: Cohort, settings: Settings) -> None:
    """A mistake should cost a second, not a night of extraction, and leave no folder."""
    images = [image for case in cohort.cases for image in case.images]
    check_pixels(recipe, cohort)
    pixels = pixels_of(images[0].kind, images[0].path)
    check_recipe(recipe, weights={i.kind for i in images} != {"features"}, kind=pixels)
    check_precision(recipe.train.precision, settings.place.device)
    for remark in cohort.remarks:
        message(f"note: {remark}")


def _refuse_nothing(extraction: Extraction, folder: RunFolder) -> None:
    """Pass where an image could be read; why the others could not is in the table."""
    if not extraction.bags:
        first, count = extraction.failures[0], len(extraction.failures)
        which = "the image" if count == 1 else f"none of the {count} images"
        told = f"the first: {first.reason}" if count > 1 else first.reason
        raise RunError(f"{which} can be used ({told}); see {folder.exclusions} for each")


def _write_judged(
    folder: RunFolder, judged: Sequence[Judgement], classes: Sequence[str], used: Sequence[Case]
) -> None:
    """What is said of each case, how far it lies from those known, and which of these voted."""
    write_predictions(folder.predictions, judged, classes)
    write_novelty(folder.novelty, judged)
    write_neighbours(folder.neighbours, judged, [case.id for case in used])


def _warned(bench: Bench, judged: Sequence[Judgement], cohort: Cohort) -> list[str]:
    """What to know of cohort and learning; people find it among the notes at the end."""
    of_cohort = [anonymity_note(cohort), *clinical_notes(cohort, bench.folds)]
    warnings = [
        note for note in (*of_cohort, *warnings_of(bench, judged), *neighbour_notes(judged)) if note
    ]
    for warning in warnings:
        outlet().note("warning", {"message": warning})
    return warnings


def _repeated(bench: Bench, splits: Sequence[Split]) -> list[Bench]:
    """A bench for each repeat, with its seed, folds and folder."""
    recipes = repeats_of(bench.recipe)
    return [
        replace(
            bench, recipe=own, run=bench.run.repeat(n), folds=_usable(split.folds, bench.extraction)
        )
        for n, (own, split) in enumerate(zip(recipes, splits, strict=True))
    ]


def _usable(given: Sequence[Fold], extraction: Extraction) -> tuple[Fold, ...]:
    """The folds without the cases of which no image could be used."""
    folds = []
    for fold in given:
        train, valid, test = (
            tuple(case for case in cases if has_bag(case, extraction))
            for cases in fold.sides().values()
        )
        try:
            folds.append(replace(fold, train=train, valid=valid, test=test))
        except SplitError as error:
            raise SplitError(f"after exclusions {error}") from error
    return tuple(folds)


def _taught_again(bench: Bench, fold: Fold) -> tuple[Case, ...]:
    """With a refit the cases of training and inner patients, `train_only` images and all."""
    if not bench.recipe.protocol.refit:
        return ()
    sides = {case.id for case in (*fold.train, *fold.valid)}
    inner = {case.patient for case in fold.valid}
    return tuple(
        case
        for case in bench.cases
        if case.id in sides or (not case.testable and case.patient in inner)
    )


def _learn(benches: Sequence[Bench], cohort: Cohort) -> str:
    """Learn all folds as far as that was not done before; returns what became of them."""
    jobs = [_job(bench, cohort, fold) for bench in benches for fold in bench.folds]
    recipe, taught = benches[0].recipe, benches[0].folds[0].train
    told = steps_told(recipe, benches[0].place.device, shown_in_epoch(recipe, taught))
    if told:
        message(f"note: {told}")
    repeats = {bench.run: number for number, bench in enumerate(benches)}
    fates: Counter[str] = Counter()
    epochs = benches[0].recipe.train.epochs
    epochs *= jobs[0].trainings
    seen: Counter[Path] = Counter()
    with progress("training", len(jobs) * epochs, "epochs") as advance:

        def heard(job: FoldJob, news: object) -> None:
            seen[job.folder.root] += 1
            which = {"repeat": repeats[job.run]} if len(benches) > 1 else {}
            advance(**which, **dict(news)) if isinstance(news, dict) else advance()

        crew = benches[0].place.crew(len(jobs))
        for done in parallel_map(learn_fold, jobs, workers=crew, heard=heard):
            if done.error is not None:
                raise done.error
            fates[done.result or ""] += 1
            # a fold that stopped early, or was learnt before, has no epochs left
            advance(epochs - seen[done.item.folder.root])
    for bench in benches:
        shutil.rmtree(bench.run.kept, ignore_errors=True)
    words = {"learnt": "learnt", "chosen": "learnt before, chosen anew", "reused": "reused"}
    return ", ".join(f"{fates[fate]} {words[fate]}" for fate in words if fates[fate])


def _job(bench: Bench, cohort: Cohort, fold: Fold) -> FoldJob:
    again, protocol = _taught_again(bench, fold), bench.recipe.protocol
    inner: tuple[Fold, ...] = ()
    if protocol.inner > 1:
        both = replace(cohort, cases=again)
        dealt = inner_folds(both, fold, folds=protocol.inner, seed=protocol.seed)
        inner = _usable(dealt, bench.extraction)
    return FoldJob(
        recipe=bench.recipe,
        fold=fold,
        extraction=bench.extraction,
        classes=bench.classes,
        run=bench.run,
        device=bench.place.device,
        again=again,
        inner=inner,
    )
