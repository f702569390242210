"""Metrics over new cases: of patients that the run never saw."""

from collections.abc import Sequence
from typing import Any

from wholecase.answer import Judgement, TrainedRun
from wholecase.cohort import by_likeness, likeness_key
from wholecase.experiment.results import measured
from wholecase.runs import read_rows


def external_metrics(
    trained: TrainedRun, judgements: Sequence[Judgement]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Metrics over the labelled cases of other patients than the run's, and notes on them."""
    labelled = [one for one in judgements if one.case.target is not None]
    known = by_likeness(row["patient_id"] for row in read_rows(trained.folder.splits))
    new = [one for one in labelled if likeness_key(one.case.patient) not in known]
    notes = []
    if seen := len(labelled) - len(new):
        notes.append(
            f"{seen} labelled cases belong to patients of the run and are left out of the metrics."
        )
    return (measured(new, trained.recipe, "external") if new else {}), notes
