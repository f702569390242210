"""`wholecase triage`: a patch model slides over whole slides; the most suspicious come first."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from wholecase.cli.options import CohortFile, Device, Workers, worker_count


def triage(
    run: Annotated[Path, Parameter(help="folder of a finished run of a patch model")],
    *,
    cohort: CohortFile,
    out: Annotated[Path, Parameter(help="folder for tables, maps and regions")],
    stride: Annotated[int | None, Parameter(help="pixels from window to window; a third")] = None,
    spacing: Annotated[float | None, Parameter(help="µm/px, where the run does not know")] = None,
    device: Device = "auto",
    workers: Workers = 0,
) -> int:
    """Draw tumour maps of whole slides and rank them by risk; the same command resumes it."""
    from wholecase.answer import load_run
    from wholecase.answer.trained_at import trained_at
    from wholecase.answer.triage import TriageSettings
    from wholecase.answer.triage import triage as work
    from wholecase.assemble import choose_device
    from wholecase.cli.table import failure_lines, metric_lines
    from wholecase.experiment.asking import question_of
    from wholecase.experiment.triage import triage_metrics, write_metrics, write_triage

    trained = load_run(run, choose_device(device))
    at = trained_at(trained, spacing)
    settings = TriageSettings(out, at, stride or at.stride_px, worker_count(workers))
    question = question_of(run, (), cohort)
    told = work(trained, question.cohort, settings)
    write_triage(out, told)
    metrics = triage_metrics(trained, told, settings, question.note)
    write_metrics(out, metrics)
    if "auroc" in metrics:
        print(*metric_lines({"auroc of the risk": metrics["auroc"]}), sep="\n")
        print(*aside_lines(metrics), sep="\n")
    for note in metrics["notes"]:
        print(f"note: {note}")
    failed = [(str(one.image.path), one.reason) for one in told if one.reason is not None]
    for line in failure_lines(failed):
        print(line)
    print(f"{len(told) - len(failed)} of {len(told)} slides judged: {out / 'triage.csv'}")
    return 2 if failed else 0


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


def _share(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return "an undefined share"
    value = f"{100 * told['value']:.1f} %"
    if told["low"] is None:
        return f"{value} (no interval)"
    return f"{value} (95 % {100 * told['low']:.1f} to {100 * told['high']:.1f} %)"
