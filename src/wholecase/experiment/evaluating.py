"""What test cases were told -> tables, metrics, checks and notes of a run."""

from collections.abc import Mapping, Sequence
from typing import Any

from wholecase.answer import Judgement, write_contents
from wholecase.assemble import labels_of
from wholecase.cohort import Case, Cohort, columns_of
from wholecase.core.outlet import outlet
from wholecase.experiment.checks import Examined, examined
from wholecase.experiment.clinical import clinical_notes
from wholecase.experiment.exchanged import lost_without
from wholecase.experiment.facts import write_cases
from wholecase.experiment.outer import Bench
from wholecase.experiment.repeats import Judged, told_of_repeats
from wholecase.experiment.results import write_metrics, write_novelty, write_predictions
from wholecase.experiment.stability import write_stability
from wholecase.experiment.steps import lone_notes
from wholecase.experiment.told_neighbours import neighbour_notes, write_neighbours
from wholecase.runs import RunFolder

Plain = tuple[dict[str, Any], list[str]]
"""Baselines, and what of them a reader must know."""


def evaluated(
    bench: Bench, judged: Sequence[Judgement], cohort: Cohort, again: Sequence[Judged], plain: Plain
) -> dict[str, Any]:
    """Write what is told of the run's figures; returns `metrics.json`.

    Args:
        bench: the learnt folds.
        judged: what was said of the test cases.
        cohort: as it was read, for what its manifest tells.
        again: the run's repeats by other seeds.
        plain: what plain models on the same folds reach.
    """
    stability = write_stability(bench, judged)
    write_cases(bench.run, bench.cases, bench.extraction)
    write_contents(bench.run, bench.folds, bench.extraction)
    _write_judged(bench.run, judged, bench.classes, bench.cases)
    columns = columns_of(cohort, labels_of(bench.recipe))
    metrics = write_metrics(
        bench.run,
        judged,
        bench.recipe,
        stability,
        _warned(bench, judged, cohort),
        plain,
        repeats=told_of_repeats([(bench, judged), *again]),
        lost=lost_without(bench, judged),
        columns=columns,
        examine=lambda found: examined(
            Examined(judged, found, plain[1], bench=bench, cohort=cohort, columns=columns)
        ),
    )
    _tell_failed(metrics)
    return metrics


def _write_judged(
    folder: RunFolder, judged: Sequence[Judgement], classes: Sequence[str], used: Sequence[Case]
) -> None:
    """What is said of each case, how far it lies from those known, and which of these voted."""
    write_predictions(folder.predictions, judged, classes)
    write_novelty(folder.novelty, judged)
    write_neighbours(folder.neighbours, judged, [case.id for case in used])


def _warned(bench: Bench, judged: Sequence[Judgement], cohort: Cohort) -> list[str]:
    """What to know of the cohort; people find it among the notes at the end."""
    warnings = [
        *clinical_notes(cohort, bench.folds),
        *lone_notes(bench.recipe, bench.folds, bench.classes),
        *neighbour_notes(judged),
    ]
    for warning in warnings:
        outlet().note("warning", {"message": warning})
    return warnings


def _tell_failed(metrics: Mapping[str, Any]) -> None:
    for check in metrics["checks"]:
        if check["state"] == "failed":
            told = f"{check['code']}: {check['sentence']}"
            outlet().note("warning", {"message": told})
