"""Metrics over new cases: of patients and pictures that the run never saw."""

from collections.abc import Sequence
from typing import Any

from wholecase.answer import Judgement, TrainedRun
from wholecase.cohort import by_likeness, likeness_key
from wholecase.experiment.results import measured
from wholecase.runs import read_rows


def external_metrics(
    trained: TrainedRun, judgements: Sequence[Judgement]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Metrics over the labelled cases that are new to the run, and notes on the others."""
    labelled = [one for one in judgements if one.case.target is not None]
    known = by_likeness(row["patient_id"] for row in read_rows(trained.folder.splits))
    others = [one for one in labelled if likeness_key(one.case.patient) not in known]
    new = [one for one in others if not one.seen]
    notes = []
    if seen := len(labelled) - len(others):
        notes.append(
            f"{seen} labelled cases belong to patients of the run and are left out of the metrics."
        )
    if copies := len(others) - len(new):
        notes.append(
            f"{copies} labelled cases show what the run learnt from, under the names of other "
            "patients, and are left out of the metrics."
        )
    return (measured(new, trained.recipe, "external") if new else {}), notes
