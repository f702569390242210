"""`wholecase predict`: a run's models and new cases."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wholecase.cli.options import Device, MovedWeights, StoreFolder, Workers
from wholecase.core.visible import visible


def predict(
    run: Annotated[Path, Parameter(help="folder of a finished run")],
    *images: Annotated[Path, Parameter(help="images, each a case of its own")],
    cohort: Annotated[Path | None, Parameter(help="or a manifest")] = None,
    out: Annotated[Path | None, Parameter(help="CSV file for the predictions")] = None,
    weights: MovedWeights = None,
    final: Annotated[
        bool, Parameter(negative="", help="by the one model of all cases, of a run --final")
    ] = False,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Predict new cases with all fold models, or the final one; with labels, tell the metrics."""
    from wholecase.assemble import place_of
    from wholecase.cli.lines import failure_lines, metric_lines, novelty_lines
    from wholecase.core.files import refuse_unwritable
    from wholecase.core.outlet import message
    from wholecase.experiment import ask, external_metrics, question_of, write_predictions

    if out is not None:
        refuse_unwritable(out)
    question = question_of(run, images, cohort)
    if question.note:
        message(f"note: {question.note}")
    place = place_of(device, workers)
    asked = ask(question, weights=weights, store=store, place=place, final=final)
    trained, cases = asked.trained, len(question.cohort.cases)
    judgements = list(asked.judgements)
    if out is not None:
        write_predictions(out, judgements, trained.classes, spread=True)
    for one in judgements if out is None else ():
        shares = ", ".join(f"{name} {p:.3f}" for name, p in one.shares.items())
        print(visible(f"{one.case.id}: {one.label} ({shares})"))
    metrics, notes = external_metrics(trained, judgements)
    notes = [f"note: {note}" for note in (*asked.notes, *notes)]
    for line in [*novelty_lines(judgements), *metric_lines(metrics), *notes]:
        print(line)
    for line in failure_lines([(str(f.path), f.reason) for f in asked.extraction.failures]):
        print(line)
    if out is not None:
        print(f"{len(judgements)} of {cases} cases predicted: {out}")
    return 0 if len(judgements) == cases else 2
