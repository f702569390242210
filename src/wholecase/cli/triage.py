"""`wholecase triage`: a patch model slides over whole slides; the most suspicious come first."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wholecase.cli.loading import load
from wholecase.cli.options import CohortFile, Device, Workers

if TYPE_CHECKING:
    from wholecase.triage.judging import Triaged

SHOWN_SLIDES = 10


def triage(
    run: Annotated[Path, Parameter(help="folder of a finished run of a patch model")],
    *,
    cohort: CohortFile,
    out: Annotated[Path, Parameter(help="folder for tables, maps and regions")],
    stride: Annotated[int | None, Parameter(help="pixels from window to window; a third")] = None,
    spacing: Annotated[float | None, Parameter(help="µm/px, where the run does not know")] = None,
    threshold: Annotated[float | None, Parameter(help="tumour is above; the run's own")] = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Draw tumour maps of whole slides and rank them by risk; the same command resumes it."""
    from wholecase.cohort import refuse_no_manifest

    refuse_no_manifest(cohort)
    load("wholecase.experiment")
    from wholecase.answer import load_run
    from wholecase.assemble import place_of
    from wholecase.cli.lines import failure_lines, metric_lines
    from wholecase.experiment.asking import question_of
    from wholecase.triage.judging import TriageSettings
    from wholecase.triage.judging import triage as work
    from wholecase.triage.measures import triage_metrics
    from wholecase.triage.ranking import ranked, write_metrics, write_triage
    from wholecase.triage.window import trained_at

    place = place_of(device, workers)
    trained = load_run(run, place.device)
    at = trained_at(trained, spacing)
    step = at.stride_px if stride is None else stride
    settings = TriageSettings(out, at, step, place.workers, threshold)
    question = question_of(run, (), cohort)
    slides = work(trained, question.cohort, settings)
    write_triage(out, slides)
    metrics = triage_metrics(trained, slides, settings, question.note)
    write_metrics(out, metrics)
    for line in ranked_lines(list(ranked(slides))):
        print(line)
    if "auroc" in metrics:
        print(*metric_lines({"auroc of the risk": metrics["auroc"]}), sep="\n")
        print(*aside_lines(metrics), sep="\n")
    for note in metrics["notes"]:
        print(f"note: {note}")
    failed = [(str(one.image.path), one.reason) for one in slides if one.reason is not None]
    for line in failure_lines(failed):
        print(line)
    print(f"{len(slides) - len(failed)} of {len(slides)} slides judged: {out / 'triage.csv'}")
    return 2 if failed else 0


def ranked_lines(ranking: Sequence[tuple[int | None, "Triaged"]]) -> Iterator[str]:
    """The most suspicious slides, up to a bound."""
    judged = [(rank, one, one.map) for rank, one in ranking if one.map is not None]
    if not judged:
        return
    yield "rank   risk  tumour mm2  of tissue  slide"
    for rank, one, drawn in judged[:SHOWN_SLIDES]:
        share = 100 * drawn.tumour_mm2 / drawn.tissue_mm2
        yield f"{rank:>4}  {drawn.risk:.3f}  {drawn.tumour_mm2:>10.3f}  {share:>7.1f} %  {one.name}"
    if len(judged) > SHOWN_SLIDES:
        yield f"      and {len(judged) - SHOWN_SLIDES} of lower risk"


def aside_lines(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Two lines per sensitivity: what could be set aside, and what that would have meant."""
    for one in metrics["set_aside"]:
        head = f"at {100 * one['sensitivity']:g} % sensitivity"
        if one["cutoff"] is None:
            yield f"{head}: undefined, since no case is positive"
            continue
        yield f"{head}: {_share(one['share'])} of cases set aside, risk below {one['cutoff']:.3f}"
        caught, spared = one["held_out_sensitivity"], one["held_out_share"]
        yield f"  held out: {_share(caught)} of positives kept, {_share(spared)} set aside"


def _share(share: Mapping[str, Any]) -> str:
    from wholecase.cli.lines import no_interval

    if share["value"] is None:
        return "an undefined share"
    value = f"{100 * share['value']:.1f} %"
    if share["low"] is None:
        return f"{value} ({no_interval(share)})"
    return f"{value} (95 % {100 * share['low']:.1f} to {100 * share['high']:.1f} %)"
