"""Cohort and recipe -> run folder, fold by fold."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

from wholecase.answer import Judgement, has_bag
from wholecase.assemble import (
    bags_of,
    check_pixels,
    check_recipe,
    divisible,
    labels_of,
    repeats_of,
    split_of,
    with_origins,
)
from wholecase.cohort import (
    Cohort,
    Split,
    read_cohort,
    refuse_identical,
    write_splits,
)
from wholecase.core.errors import RunError
from wholecase.core.files import json_text, refuse_unwritable, write_json
from wholecase.core.os_errors import sentence_of
from wholecase.core.outlet import message
from wholecase.execution import Place
from wholecase.experiment.baselines import against_baselines
from wholecase.experiment.checks import refuse_unknown_codes
from wholecase.experiment.drawing import draw_pictures, worst
from wholecase.experiment.embedding_map import write_embedding_map
from wholecase.experiment.evaluating import evaluated
from wholecase.experiment.facts import facts_of, write_exclusions
from wholecase.experiment.final import check_final, teach_final
from wholecase.experiment.folds import are_learnt, learn_folds, usable
from wholecase.experiment.guard import guard
from wholecase.experiment.keys import claim, is_finished
from wholecase.experiment.magnifications import magnification_lines, write_magnifications
from wholecase.experiment.outer import Bench, explained, judge_bare, judge_outer
from wholecase.experiment.repeat import repeat_of
from wholecase.experiment.seal import is_sealed, seal, seal_key
from wholecase.experiment.steps import shown_in_epoch, sized, steps_told
from wholecase.experiment.summary import Summary, summary_of
from wholecase.experiment.tempo import tempo_of, tempo_told
from wholecase.experiment.tissue_pictures import keep_tissue
from wholecase.experiment.trained_baselines import check_rivals
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
    """Whether plain models are judged on the same folds: on frozen features, or from pixels the
    recipe's `evaluate.baselines`, and where cases are compared the same model taught to classify
    directly."""
    final: bool = False
    """Whether one model learns from all cases in the end, for `predict --final`."""
    tolerated: float = 0.1
    """Share of images that may fail before the run counts as failed."""


def run(recipe: Recipe, cohort: Path | Cohort, settings: Settings) -> Summary:
    """Train, evaluate and explain. A run that was stopped goes on where it was.

    The cohort is a manifest, or what `read_cohort` made of it with the labels of the recipe. Where
    nothing can be written, a finished run of the same inputs is told as it is there.

    Raises:
        WholecaseError: the cohort, the recipe or the folder is wrong, or another process works in
            it; nothing is half-written.
        OSError: nothing can be written there, and there is no such run.
    """
    cohort = read_cohort(cohort, labels_of(recipe)) if isinstance(cohort, Path) else cohort
    cohort = divisible(recipe, cohort)
    splits = [split_of(own, cohort, settings.splits) for own in repeats_of(recipe)]
    recipe = with_origins(sized(recipe, settings.place.device, splits[0].folds[0].train), cohort)
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
    facts, key = _facts(recipe, cohort, splits[0], extraction, settings)
    if not is_sealed(folder, key):
        folder.facts.unlink(missing_ok=True)  # it is no finished run until all is anew
    _refuse_nothing(extraction, folder)
    used = tuple(case for case in cohort.cases if has_bag(case, extraction))
    bench = Bench(recipe, extraction, cohort.classes, folder, (), used, place)
    bench, *others = _repeated(bench, splits)
    if folder.facts.is_file() and are_learnt([bench, *others], cohort):
        told = _as_it_is([bench, *others], cohort, settings)
        return replace(told, seconds=clock.seconds)
    folder.facts.unlink(missing_ok=True)
    guard([bench, *others], keep=store)
    with clock.stage("train"):
        fates = _learn([bench, *others], cohort)
        if settings.final:
            teach_final(bench)
    with clock.stage("judge"):
        judged = judge_outer(bench)
        again = [(other, judge_bare(other)) for other in others]
    plain = _held_against(bench, judged, cohort, clock) if settings.baselines else ({}, [])
    with clock.stage("evaluate"):
        write_magnifications(folder, cohort, extraction, splits[0])
        metrics = evaluated(bench, judged, cohort, again, plain)
    with clock.stage("explain"):
        _draw(bench, judged, cohort)
    tempo = tempo_of([folder, *(other.run for other in others)])
    write_json(folder.times, clock.to_json() | tempo)
    write_report(folder.root, facts)
    write_json(folder.facts, facts)
    seal(folder, key)
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


def _facts(
    recipe: Recipe, cohort: Cohort, split: Split, extraction: Extraction, settings: Settings
) -> tuple[dict[str, Any], str]:
    """The content of `run.json`, as it will be read, so that the page has its bytes; and a key."""
    given = settings.splits
    facts = facts_of(recipe, cohort, split, extraction, given) | {
        "device": settings.place.device,
        "repeat": repeat_of(settings.out, cohort.path, is_split_given=given is not None),
    }
    facts = json.loads(json_text(facts))
    asked = {"baselines": settings.baselines, "final": settings.final}
    return facts, seal_key(recipe, cohort, facts, **asked)


def _as_it_is(benches: Sequence[Bench], cohort: Cohort, settings: Settings) -> Summary:
    """What a run tells where all of it was there."""
    first, folders = benches[0], [bench.run for bench in benches]
    return replace(
        summary_of(first.run, cohort, settings.tolerated),
        extraction=tuple(table_lines(first.extraction)),
        folds=f"{sum(len(bench.folds) for bench in benches)} reused",
        epochs=tempo_told(tempo_of(folders), first.recipe),
    )


def _draw(bench: Bench, judged: Sequence[Judgement], cohort: Cohort) -> None:
    """What is there for people to look at: the embedding, what was taken as tissue, the cases."""
    write_embedding_map(bench)
    keep_tissue(bench.run, cohort, bench.extraction)
    shown = explained(bench, worst(judged, bench.recipe.evaluate.pictures))
    draw_pictures(bench, judged, shown, bench.place.workers)


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
    refuse_unknown_codes(recipe.evaluate.muted)
    check_precision(recipe.train.precision, settings.place.device)
    if settings.final:
        check_final(recipe)
    if settings.baselines:
        check_rivals(recipe)
    for remark in cohort.remarks:
        message(f"note: {remark}")


def _learn(benches: Sequence[Bench], cohort: Cohort) -> str:
    """The folds of the run and its repeats; returns what became of them."""
    first = benches[0]
    shown = shown_in_epoch(first.recipe, first.folds[0].train)
    if told := steps_told(first.recipe, first.place.device, shown):
        message(f"note: {told}")
    names = [{"repeat": n} if len(benches) > 1 else {} for n in range(len(benches))]
    return learn_folds(benches, cohort, names)


def _held_against(
    bench: Bench, judged: Sequence[Judgement], cohort: Cohort, clock: _Clock
) -> tuple[dict[str, Any], list[str]]:
    with clock.stage("baselines"):
        return against_baselines(bench, judged, cohort)


def _refuse_nothing(extraction: Extraction, folder: RunFolder) -> None:
    """Pass where an image could be read; why the others could not is in the table."""
    if not extraction.bags:
        first, count = extraction.failures[0], len(extraction.failures)
        which = "the image" if count == 1 else f"none of the {count} images"
        told = f"the first: {first.reason}" if count > 1 else first.reason
        raise RunError(f"{which} can be used ({told}); see {folder.exclusions} for each")


def _repeated(bench: Bench, splits: Sequence[Split]) -> list[Bench]:
    """A bench for each repeat, with its seed, folds and folder."""
    recipes = repeats_of(bench.recipe)
    return [
        replace(
            bench, recipe=own, run=bench.run.repeat(n), folds=usable(split.folds, bench.extraction)
        )
        for n, (own, split) in enumerate(zip(recipes, splits, strict=True))
    ]
