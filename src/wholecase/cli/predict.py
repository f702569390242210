"""`wholecase predict`: a run's models and new cases."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from wholecase.cli.document import Json, document
from wholecase.cli.loading import load
from wholecase.cli.options import Device, MovedWeights, StoreFolder, Workers
from wholecase.core.visible import visible

if TYPE_CHECKING:
    from wholecase.answer import Judgement


def predict(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *images: Annotated[Path, Parameter(help="images, each a case of its own")],
    cohort: Annotated[Path | None, Parameter(help="or a manifest")] = None,
    out: Annotated[Path | None, Parameter(help="CSV file for the predictions")] = None,
    submission: Annotated[
        Path | None, Parameter(help="CSV file of image_id and label alone, classes from 0")
    ] = None,
    weights: MovedWeights = None,
    final: Annotated[
        bool, Parameter(negative="", help="by the one model of all cases, of a run --final")
    ] = False,
    prevalence: Annotated[
        str | None,
        Parameter(help="share of the positive class among these cases, or 'estimate'"),
    ] = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
    as_json: Json = False,
) -> int:
    """Predict new cases with all fold models, or the final one; with labels, tell the metrics."""
    from wholecase.cohort import refuse_no_manifest

    refuse_no_manifest(cohort)
    load("wholecase.experiment")
    from wholecase.assemble import place_of
    from wholecase.cli.documents import of_answers
    from wholecase.cli.lines import failure_lines, metric_lines, novelty_lines
    from wholecase.core.files import refuse_unwritable
    from wholecase.core.outlet import message
    from wholecase.experiment import (
        ask,
        at_prevalence,
        external_metrics,
        question_of,
        refuse_unnamed,
        share_asked,
    )

    share = None if prevalence is None else share_asked(prevalence)
    files = [path for path in (out, submission) if path is not None]
    for path in files:
        refuse_unwritable(path)
    question = question_of(run, images, cohort)
    if submission is not None:
        refuse_unnamed(question.cohort.cases)
    if question.note:
        message(f"note: {question.note}")
    asked = ask(
        question, weights=weights, store=store, place=place_of(device, workers), final=final
    )
    cases, judgements = len(question.cohort.cases), list(asked.judgements)
    further: list[str] = []
    if prevalence is not None:
        judgements, further = at_prevalence(asked.trained, judgements, share)
    metrics, notes = external_metrics(asked.trained, judgements)
    notes = [*asked.notes, *further, *notes]
    lines = [
        *novelty_lines(judgements),
        *metric_lines(metrics),
        *(f"note: {note}" for note in notes),
        *failure_lines([(str(f.path), f.reason) for f in asked.failures]),
        *(f"{len(judgements)} of {cases} cases predicted: {path}" for path in files),
    ]
    with document("predict", asked=as_json) as told:
        _tell(judgements, asked.trained.classes, out, submission)
        print("\n".join(lines), end="\n" if lines else "")
        told.update(run=run, cases=cases, **of_answers(asked, judgements))
        told.update(metrics=metrics, notes=notes)
    return 0 if len(judgements) == cases else 2


def _tell(
    judgements: "Sequence[Judgement]",
    classes: Sequence[str],
    out: Path | None,
    submission: Path | None,
) -> None:
    """Into the files that are named, or where none is on the terminal."""
    from wholecase.experiment import write_predictions, write_submission

    if out is not None:
        write_predictions(out, judgements, classes, spread=True)
    if submission is not None:
        write_submission(submission, judgements)
    for one in judgements if out is None and submission is None else ():
        shares = ", ".join(f"{name} {p:.3f}" for name, p in one.shares.items())
        print(visible(f"{one.case.id}: {one.label} ({shares})"))
