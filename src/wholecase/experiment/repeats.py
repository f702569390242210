"""The same experiment with other seeds: how far the luck of the division moves the figures.

The first repeat is the run; its figures and intervals are the headline, since nobody picked it. A
mean over repeats is told as what it is: the same patients, judged again, are no further patients,
and no interval is made of them.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from wholecase.answer import Judgement
from wholecase.experiment.outer import Bench
from wholecase.experiment.results import measured, write_predictions

Judged = tuple[Bench, Sequence[Judgement]]


def told_of_repeats(repeats: Sequence[Judged]) -> dict[str, Any]:
    """The seeds, the pooled metrics of each repeat and their spread; predictions are written.

    Args:
        repeats: the run itself first; nothing is told of it alone.
    """
    if len(repeats) < 2:
        return {}
    for bench, judged in repeats[1:]:
        write_predictions(bench.run.predictions, judged, bench.classes)
    pooled = [measured(judged, bench.recipe) for bench, judged in repeats]
    return {
        "seeds": [bench.recipe.protocol.seed for bench, _ in repeats],
        "pooled": pooled,
        "spread": _spread(pooled),
    }


def _spread(pooled: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, float]]:
    """Of each metric that is defined in all repeats."""
    spread = {}
    for metric in pooled[0]:
        values = [one[metric]["value"] for one in pooled if metric in one]
        if len(values) == len(pooled) and None not in values:
            spread[metric] = {
                "mean": statistics.fmean(values),
                "deviation": statistics.stdev(values),
                "min": min(values),
                "max": max(values),
            }
    return spread
