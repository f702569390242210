"""`wholecase predict`: a run's models and new cases."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import Device, StoreFolder, Workers, worker_count
from wholecase.core.visible import visible


def predict(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *images: Annotated[Path, Parameter(help="images, each a case of its own")],
    cohort: Annotated[Path | None, Parameter(help="or a manifest")] = None,
    out: Annotated[Path | None, Parameter(help="CSV file for the predictions")] = None,
    weights: Annotated[Path | None, Parameter(help="encoder weights, if they moved")] = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Predict new cases with the fold models together; with labels, tell the external metrics."""
    from wholecase.cli.table import failure_lines, metric_lines
    from wholecase.experiment import ask, external_metrics, question_of, write_answers

    question = question_of(run, images, cohort)
    if question.note:
        print(f"note: {question.note}", file=sys.stderr)
    asked = ask(
        question, weights=weights, store=store, device=device, workers=worker_count(workers)
    )
    trained, cases = asked.trained, len(question.cohort.cases)
    told = list(asked.answers)
    if out is not None:
        write_answers(out, told, trained.classes)
    for answer in told if out is None else ():
        rows = zip(trained.classes, answer.probabilities, strict=True)
        shares = ", ".join(f"{name} {p:.3f}" for name, p in rows)
        print(visible(f"{answer.case.id}: {trained.classes[answer.decision]} ({shares})"))
    metrics, notes = external_metrics(trained, told)
    for line in [*metric_lines(metrics), *(f"note: {note}" for note in notes)]:
        print(line)
    for line in failure_lines([(str(f.path), f.reason) for f in asked.extraction.failures]):
        print(line)
    if out is not None:
        print(f"{len(told)} of {cases} cases predicted: {out}")
    return 0 if len(told) == cases else 2
