"""How often intervals held the truth in cohorts drawn from a population that is known.

`benchmarks/coverage.py` draws them (normal log odds, 30 % positive, AUROC 0.86) and writes what is
told here: an interval of 95 % that holds the truth in 90 % is to be read as one.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import log
from typing import Any


@dataclass(frozen=True)
class Held:
    """What became of intervals of one metric."""

    share: float
    """Of the drawn cohorts those whose interval held the truth."""
    draws: int
    patients: int
    """In each of them: the number drawn that is nearest, as a ratio, to that asked about."""


def held(metric: str, patients: int, judges: int = 1) -> Held | None:
    """How often the interval of a metric held the truth; None where that was not drawn.

    Args:
        metric: by its name in `METRICS`.
        patients: of the cohort that is asked about.
        judges: who judged it: one model, or those of several folds (five were drawn).

    >>> held("f1", 75, judges=5).patients, held("no metric", 75)
    (80, None)
    """
    drawn = _drawn()["1" if judges == 1 else "5"]
    sizes = {int(size): found[metric] for size, found in drawn.items() if metric in found}
    if not sizes or patients < 1:
        return None
    nearest = min(sizes, key=lambda size: abs(log(size / patients)))
    hits, draws = sizes[nearest]
    return Held(hits / draws, draws, nearest)


@cache
def _drawn() -> dict[str, Any]:
    text = (resources.files("wholecase.evaluation") / "coverage.json").read_text(encoding="utf-8")
    drawn: dict[str, Any] = json.loads(text)["folds"]
    return drawn
