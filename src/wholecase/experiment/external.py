"""A run's answers about new cases: tables and metrics."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wholecase.answer import CaseAnswer, TrainedRun
from wholecase.cohort import Case
from wholecase.evaluation import Scores, measure
from wholecase.runs import read_rows, write_rows


def write_answers(path: Path, answers: Sequence[CaseAnswer], classes: Sequence[str]) -> None:
    """Write predictions of new cases; `spread` is the fold models' standard deviation."""
    named = [f"probability_{name}" for name in classes]
    columns = ["case_id", "patient_id", "label", *named, "decision", "spread"]
    rows = [
        {
            "case_id": answer.case.id,
            "patient_id": answer.case.patient,
            "label": _label(answer.case, classes),
            **dict(zip(named, (f"{p:.8f}" for p in answer.probabilities), strict=True)),
            "decision": classes[answer.decision],
            "spread": f"{answer.spread:.8f}",
        }
        for answer in answers
    ]
    write_rows(path, columns, rows)


def _label(case: Case, classes: Sequence[str]) -> str | None:
    return case.label if case.target is None else classes[case.target]


def external_metrics(
    trained: TrainedRun, answers: Sequence[CaseAnswer]
) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Metrics over labelled cases of patients that the run never saw, and notes on them."""
    labelled = [answer for answer in answers if answer.case.target is not None]
    known = {row["patient_id"] for row in read_rows(trained.folder.splits)}
    new = [answer for answer in labelled if answer.case.patient not in known]
    notes = []
    if seen := len(labelled) - len(new):
        notes.append(
            f"{seen} labelled cases belong to patients of the run and are left out of the metrics."
        )
    if not new:
        return {}, notes
    scores = Scores(
        truth=np.array([answer.case.target for answer in new], dtype=np.int64),
        probabilities=np.stack([answer.probabilities for answer in new]),
        decision=np.array([answer.decision for answer in new], dtype=np.int64),
        patients=tuple(answer.case.patient for answer in new),
    )
    evaluate = trained.recipe.evaluate
    told = measure(scores, repeats=evaluate.bootstrap, seed=trained.recipe.protocol.seed)
    return {name: interval.to_json() for name, interval in told.items()}, notes
