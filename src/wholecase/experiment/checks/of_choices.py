"""Whether what was chosen on inner patients could be chosen there."""

from collections import Counter
from typing import Any

from wholecase.core.files import read_json
from wholecase.evaluation import HIGHEST, LOWEST
from wholecase.experiment.checks.question import Examined, Outcome, failed, not_applicable, passed
from wholecase.runs import read_rows

POSITIVES = 20
"""Fewer positive patients than this leave a threshold to chance."""
NEAR = 0.01
"""By this share from an end of its range a temperature has been stopped by it."""


def at_an_edge(run: Examined) -> Outcome:
    """Whether a choice might have gone further, had it been allowed to."""
    choices = _choices(run)
    last = run.bench.recipe.train.epochs - 1
    patience = run.bench.recipe.train.early_stop
    found = []
    epochs = [one["epoch"] for one in choices.values() if one.get("epoch") is not None]
    if last > 0 and patience is not None and sum(e == last for e in epochs) * 2 > len(epochs):
        found.append(
            f"most folds keep the last epoch ({last}), and more may be better: raise train.epochs"
        )
    if last > 0 and patience is not None and sum(e == 0 for e in epochs) * 2 > len(epochs):
        found.append("most folds keep the first epoch, so learning made it worse: lower the rates")
    found += _temperatures(choices)
    found += _of_head(choices)
    if found:
        return failed(f"A choice lies at the edge of its range: {'; '.join(found)}.")
    return passed("No epoch, temperature or setting of the head was stopped by the range allowed.")


def _choices(run: Examined) -> dict[int, dict[str, Any]]:
    folder = run.bench.run
    return {fold.number: read_json(folder.fold(fold.number).choices) for fold in run.bench.folds}


def _temperatures(choices: dict[int, dict[str, Any]]) -> list[str]:
    stopped = [
        number
        for number, one in choices.items()
        if one["temperature"] <= LOWEST * (1 + NEAR) or one["temperature"] >= HIGHEST * (1 - NEAR)
    ]
    if not stopped:
        return []
    folds = ", ".join(map(str, stopped))
    return [f"the temperature of fold {folds} is the last that is tried, as of scores without use"]


def _of_head(choices: dict[int, dict[str, Any]]) -> list[str]:
    """Values of the head's own choice that most folds take and beyond which none is tried."""
    taken: dict[tuple[str, float], int] = Counter(
        (name, tried[-1])
        for one in choices.values()
        for name, tried in (one.get("head_tried") or {}).items()
        if len(tried) > 1 and one["head"][name] == tried[-1]
    )
    return [
        f"most folds take the greatest {name} that is tried ({greatest})"
        for (name, greatest), times in taken.items()
        if times * 2 > len(choices)
    ]


def few_positives(run: Examined) -> Outcome:
    """Whether a threshold rests on chance."""
    if len(run.bench.classes) != 2 or run.bench.recipe.choose.threshold == "half":
        return not_applicable("No threshold is chosen on patients.")
    positive = run.bench.classes[1]
    counts = {
        fold.number: len(
            {
                row["patient_id"]
                for row in read_rows(run.bench.run.fold(fold.number).inner)
                if row["label"] == positive
            }
        )
        for fold in run.bench.folds
    }
    least = min(counts, key=lambda number: counts[number])
    if counts[least] >= POSITIVES:
        return passed(f"Each threshold rests on {counts[least]} positive patients or more.")
    return failed(
        f"The threshold of fold {least} rests on {counts[least]} positive inner patients, and "
        f"below {POSITIVES} chance moves it: trust the ranks more than the decisions, or choose on "
        "more by protocol.refit=true protocol.inner=3."
    )
