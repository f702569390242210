"""`wholecase vote`: several runs together as a run of its own."""

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from wholecase.cli.loading import load


def vote(
    *runs: Annotated[
        Path, Parameter(help="folders of two or more finished runs, on the same folds")
    ],
    out: Annotated[Path, Parameter(help="folder of the vote")],
    weights: Annotated[
        Literal["equal", "validation"], Parameter(help="by what is right on inner patients, or not")
    ] = "equal",
    admit: Annotated[
        Literal["rule", "all"], Parameter(help="all votes without the rule; the report says so")
    ] = "rule",
    accuracy: Annotated[float, Parameter(help="least that a member gets right")] = 0.90,
    disagreement: Annotated[
        float, Parameter(help="share of cases that two members may not reach to differ on")
    ] = 0.05,
) -> None:
    """Average the calibrated probabilities of runs that are admitted by rule, fold by fold.

    A member is admitted for its accuracy, for deciding like the others nearly always, and for being
    right on some of the cases on which they differ; all on inner patients. The folder can be
    reported, predicted with, explained and compared like any run.
    """
    load("wholecase.experiment")
    from wholecase.cli.lines import metric_lines
    from wholecase.core.errors import RunError
    from wholecase.core.files import read_json
    from wholecase.core.visible import visible
    from wholecase.evaluation import Rule
    from wholecase.experiment import Terms, ballot, standing_lines
    from wholecase.experiment import vote as write

    for name, share in (("accuracy", accuracy), ("disagreement", disagreement)):
        if not 0 <= share <= 1:
            raise RunError(f"--{name} is a share between 0 and 1, not {share:g}")
    asked = ballot(runs, Terms(weights, admit, Rule(accuracy, disagreement)))
    for line in standing_lines(asked.folds):
        print(visible(line))
    folder = write(asked, out)
    metrics = read_json(folder.metrics)
    for line in metric_lines(metrics["pooled"]):
        print(line)
    gains = {
        f"{metric} minus {one['name']}": gap
        for one in metrics["vote"]["members"]
        for metric, gap in one["gain"].items()
        if metric in {"accuracy", "auroc"}
    }
    for line in metric_lines(gains):
        print(visible(line))
    for note in metrics["notes"]:
        print(f"note: {note}")
    print(f"report: {folder.report.resolve().as_uri()}")
