"""`wholecase run`: train, evaluate and explain."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from wholecase.cli.loading import load
from wholecase.cli.options import CohortFile, Device, Overrides, StoreFolder, Workers


def run(
    recipe: Annotated[str, Parameter(help="a built-in recipe or a YAML file")],
    *overrides: Overrides,
    cohort: CohortFile,
    out: Annotated[Path, Parameter(help="folder of the run")],
    splits: Annotated[Path | None, Parameter(help="splits.csv of another run, or CLAM's")] = None,
    store: StoreFolder = None,
    device: Device = "auto",
    workers: Workers = 0,
    baselines: Annotated[
        bool,
        Parameter(
            help="also judge plain models on frozen features, or train the recipe's own baselines "
            "from the pixels"
        ),
    ] = False,
    final: Annotated[
        bool, Parameter(negative="", help="also teach one model on all cases, for predict --final")
    ] = False,
    seeds: Annotated[
        int, Parameter(help="run with so many seeds and tell the spread: protocol.repeats")
    ] = 0,
    tolerated: Annotated[float, Parameter(help="share of images that may fail")] = 0.1,
) -> int:
    """Train, evaluate and explain a recipe on a cohort; the same command resumes it."""
    from wholecase.assemble import labels_of, place_of
    from wholecase.cohort import read_cohort
    from wholecase.recipes import read_recipe

    repeated = [f"protocol.repeats={seeds}"] if seeds else []
    chosen = read_recipe(recipe, [*overrides, *repeated])
    read = read_cohort(cohort, labels_of(chosen))  # its mistakes are told before torch is loaded
    load("wholecase.experiment")
    from wholecase.experiment import Settings
    from wholecase.experiment import run as experiment

    settings = Settings(
        out=out,
        store=store,
        splits=splits,
        place=place_of(device, workers),
        tolerated=tolerated,
        baselines=baselines,
        final=final,
    )
    summary = experiment(chosen, read, settings)
    _tell(summary)
    if summary.too_many_failed:
        print(
            f"wholecase: {len(summary.failures)} of {summary.images_in} images failed, more than "
            f"the tolerated share of {tolerated:g}; see {summary.run.exclusions}",
            file=sys.stderr,
        )
        return 2
    if summary.killed:
        print(
            f"wholecase: the run lacks {summary.killed} images whose worker was killed, probably "
            "for want of memory; run again with fewer --workers",
            file=sys.stderr,
        )
        return 2
    return 0


def _tell(summary: Any) -> None:  # noqa: ANN401 (the type would load the whole house)
    from wholecase.cli.lines import failure_lines, metric_lines, unlike_lines
    from wholecase.core.visible import visible

    for line in (*summary.extraction, *map(visible, summary.magnifications)):
        print(line)
    for line in metric_lines(summary.metrics["pooled"]):
        print(line)
    for line in metric_lines(_further(summary.metrics)):
        print(line)
    if entry := summary.metrics.get("repeats", {}).get("spread", {}).get("auroc"):
        ends = f"{entry['min']:.3f} to {entry['max']:.3f}"
        print(f"repeats: auroc {entry['mean']:.3f} on average, {ends}")
    for note in summary.metrics["notes"]:
        print(f"note: {note}")
    for line in unlike_lines(summary.unlike, summary.judged):
        print(line)
    for line in failure_lines(summary.failures):
        print(line)
    print(f"folds: {summary.folds}{summary.epochs and f'; epochs: {summary.epochs}'}")
    took = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in summary.seconds.items())
    used = summary.cases_in - summary.cases_out
    print(f"cases: {summary.cases_in} in, {summary.cases_out} out, {used} used ({took})")
    print(f"report: {summary.run.report.resolve().as_uri()}")


def _further(metrics: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """What stands below the metrics: does the answer rest on the evidence, and is it worth it?"""
    lines: dict[str, Any] = {}
    if entry := metrics.get("faithfulness"):
        lines |= {
            "drop without top 10 %": entry["drop_top"],
            "... random 10 %": entry["drop_random"],
        }
    if images := metrics.get("images"):
        lines["image recognition rate"] = images["all"]["recognition_rate"]
    for name, entry in metrics.get("baselines", {}).items():
        if gap := entry["difference"].get("auroc"):
            lines[f"auroc minus {name}"] = gap
    return lines
