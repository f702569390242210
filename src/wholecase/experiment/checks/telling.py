"""What a column of the manifest says of the label, learnt as a model would learn it."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from wholecase.cohort import Case, Fold
from wholecase.evaluation import Scores

BINS = 5
"""Numbers are parted into so many, with as many training cases each."""
MOST_VALUES = 0.5
"""A column of words with more values than this share of its cases names cases, not kinds."""


def told_by(
    cells: Mapping[str, str], folds: Sequence[Fold], classes: Sequence[str]
) -> Scores | None:
    """What the value of a column says of each test case that has one; None where it says nothing.

    Of each value the shares of the classes among the cases that the fold learnt or chose on count,
    with one case of the common shares added; a value that these lack has the common shares.
    """
    numbers = _numbers(cells)
    if numbers is None and len(set(cells.values())) > MOST_VALUES * len(cells):
        return None
    rows, cases, judges = [], [], []
    for fold in folds:
        taught = [case for case in (*fold.train, *fold.valid) if case.id in cells]
        asked = [case for case in fold.test if case.id in cells]
        if not taught:
            continue
        key = _binned(numbers, taught) if numbers is not None else cells.__getitem__
        rows += _shares(taught, asked, key, len(classes))
        cases += asked
        judges += [fold.number] * len(asked)
    if not cases or len({case.target for case in cases}) < 2:
        return None
    told = np.stack(rows)
    return Scores(
        truth=np.array([case.target for case in cases], dtype=np.int64),
        probabilities=told,
        decision=told.argmax(1),
        patients=tuple(case.patient for case in cases),
        judges=np.array(judges, dtype=np.int64),
    )


def _shares(
    taught: Sequence[Case], asked: Sequence[Case], key: Callable[[str], object], classes: int
) -> list[Float[np.ndarray, " C"]]:
    eye = np.eye(classes)
    targets = np.array([case.target for case in taught], dtype=np.int64)
    common: Float[np.ndarray, " C"] = eye[targets].mean(axis=0)
    sums = {key(case.id): common.copy() for case in taught}
    counts = dict.fromkeys(sums, 1)
    for case, target in zip(taught, targets, strict=True):
        sums[key(case.id)] += eye[target]
        counts[key(case.id)] += 1
    known = {value: total / counts[value] for value, total in sums.items()}
    return [known.get(key(case.id), common) for case in asked]


def _numbers(cells: Mapping[str, str]) -> dict[str, float] | None:
    """The cells as numbers or days; None where one is neither, or few values are codes."""
    try:
        found = {case: _number(text) for case, text in cells.items()}
    except ValueError:
        return None
    return found if len(set(found.values())) > BINS else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float(np.datetime64(text, "D").astype(np.int64))


def _binned(numbers: Mapping[str, float], taught: Sequence[Case]) -> Callable[[str], object]:
    edges = np.quantile([numbers[case.id] for case in taught], np.linspace(0, 1, BINS + 1)[1:-1])
    return lambda case: int(np.searchsorted(edges, numbers[case]))
