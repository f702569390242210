"""The folds of runs are learnt, one worker a fold, as far as that was not done before."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wholecase.answer import has_bag
from wholecase.cohort import Case, Cohort, Fold, inner_folds
from wholecase.core.errors import SplitError
from wholecase.core.progress import progress
from wholecase.execution import parallel_map
from wholecase.experiment.fold_job import FoldJob
from wholecase.experiment.learning import is_done, learn_fold
from wholecase.experiment.outer import Bench
from wholecase.extract import Extraction


def learn_folds(
    benches: Sequence[Bench], cohort: Cohort, names: Sequence[Mapping[str, object]]
) -> str:
    """Learn all folds as far as that was not done before; returns what became of them.

    Args:
        benches: of one number of epochs and trainings.
        cohort: of whom all of them are.
        names: of each bench what tells it from the others while it learns.
    """
    jobs = _jobs(benches, cohort)
    left = [job for job in jobs if not is_done(job)]
    named = {bench.run: name for bench, name in zip(benches, names, strict=True)}
    fates: Counter[str] = Counter(reused=len(jobs) - len(left))
    epochs = benches[0].recipe.train.epochs
    epochs *= jobs[0].trainings
    seen: Counter[Path] = Counter()
    with progress("training", len(jobs) * epochs, "epochs") as advance:

        def heard(job: FoldJob, news: object) -> None:
            seen[job.folder.root] += 1
            told = dict(news) if isinstance(news, dict) else {}
            advance(**({**named[job.run], **told} if told else {}))

        advance(fates["reused"] * epochs)
        crew = benches[0].place.crew(len(left))
        for done in parallel_map(learn_fold, left, workers=crew, heard=heard):
            if done.error is not None:
                raise done.error
            fates[done.result or ""] += 1
            # a fold that stopped early has no epochs left
            advance(epochs - seen[done.item.folder.root])
    for bench in benches:
        shutil.rmtree(bench.run.kept, ignore_errors=True)
    words = {"learnt": "learnt", "chosen": "learnt before, chosen anew", "reused": "reused"}
    return ", ".join(f"{fates[fate]} {words[fate]}" for fate in words if fates[fate])


def are_learnt(benches: Sequence[Bench], cohort: Cohort) -> bool:
    """Whether `learn_folds` would find nothing to do."""
    return all(is_done(job) for job in _jobs(benches, cohort))


def usable(given: Sequence[Fold], extraction: Extraction) -> tuple[Fold, ...]:
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
    inner = {case.unit for case in fold.valid}
    return tuple(
        case
        for case in bench.cases
        if case.id in sides or (not case.testable and case.unit in inner)
    )


def _jobs(benches: Sequence[Bench], cohort: Cohort) -> list[FoldJob]:
    return [_job(bench, cohort, fold) for bench in benches for fold in bench.folds]


def _job(bench: Bench, cohort: Cohort, fold: Fold) -> FoldJob:
    again, protocol = _taught_again(bench, fold), bench.recipe.protocol
    inner: tuple[Fold, ...] = ()
    if protocol.inner > 1:
        both = replace(cohort, cases=again)
        dealt = inner_folds(both, fold, folds=protocol.inner, seed=protocol.seed)
        inner = usable(dealt, bench.extraction)
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
