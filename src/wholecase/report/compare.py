"""Two runs on the same cases: how much better is one, and is that more than chance?"""

from pathlib import Path
from typing import TYPE_CHECKING

from wholecase.core.errors import RunError
from wholecase.runs import RunFolder, read_rows

if TYPE_CHECKING:  # numpy comes with it, and this package is to import at once
    from wholecase.evaluation import Interval, Scores

REPEATS = 2000


def compare_runs(first: Path, second: Path, *, seed: int = 1) -> "dict[str, Interval]":
    """Every metric of the first run minus that of the second, with its interval by patient.

    Both see the same redraws of patients, so what is hard for both does not widen the interval.

    Raises:
        RunError: the runs did not judge the same cases with the same labels, or not on the same
            folds, so that a difference would speak of the splits.
    """
    from wholecase.core.seeds import seed_of
    from wholecase.evaluation import METRICS, paired_difference

    a, b = RunFolder(first), RunFolder(second)
    classes, others = (folder.read_facts()["classes"] for folder in (a, b))
    if classes != others:
        raise RunError(f"{first} tells {', '.join(classes)} apart, {second} {', '.join(others)}")
    _refuse_other_folds(a, b)
    ours, theirs = scores_of(a, classes), scores_of(b, classes)
    return {
        name: paired_difference(
            ours, theirs, name, repeats=REPEATS, seed=seed_of(seed, "compare", name)
        )
        for name, metric in METRICS.items()
        if metric.suits(ours)
    }


def scores_of(folder: RunFolder, classes: list[str]) -> "Scores":
    """A run's predictions as the metrics want them, in the order of the case ids."""
    import numpy as np

    from wholecase.evaluation import Scores

    rows = sorted(read_rows(folder.predictions), key=lambda row: row["case_id"])
    shares = [[float(row[f"probability_{name}"]) for name in classes] for row in rows]
    return Scores(
        truth=np.array([classes.index(row["label"]) for row in rows], dtype=np.int64),
        probabilities=np.array(shares, dtype=np.float64),
        decision=np.array([classes.index(row["decision"]) for row in rows], dtype=np.int64),
        patients=tuple(row["patient_id"] for row in rows),
        judges=np.array([int(row["fold"]) for row in rows], dtype=np.int64),
    )


def _refuse_other_folds(a: RunFolder, b: RunFolder) -> None:
    mine, theirs = (
        {row["case_id"]: row["fold"] for row in read_rows(folder.predictions)} for folder in (a, b)
    )
    if differing := sorted(case for case in mine | theirs if mine.get(case) != theirs.get(case)):
        raise RunError(
            f"{a.root} and {b.root} did not judge case {differing[0]!r} in the same fold; run one "
            f"of them again with --splits {a.splits}"
        )
