"""What went wrong while learning, by stated rules on the curves of the inner patients.

Overfitting is among it: a model that knows its own cases, or a score too good for so few patients.
"""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Literal

from wholecase.core.files import read_json
from wholecase.evaluation import METRICS
from wholecase.runs import FoldFolder, read_rows
from wholecase.training import ACTIVE, DISTANCE, Epoch, are_together

Kind = Literal["collapse", "swings", "missed", "gap", "perfect", "together"]
LOW = 0.1
"""Probabilities below are as good as 0, unless positives are that rare."""
LASTING = 3
"""Epochs at the end of a training over which a collapse must stand."""
WINDOW = 8
"""Epochs that are looked at together for swings; shorter trainings are not judged."""
LEAP = 0.15
"""Nats: no smaller change of the loss from epoch to epoch is called a swing."""
OF_LOSS = 0.25
"""Nor one of a smaller share of the loss itself."""
FEW = 3
"""Missing all of fewer positives is chance."""
OF_INNER = 0.5
"""A training loss below this share of the inner one has learnt its own cases by heart."""
OF_FIRST = 0.25
"""Unless the inner loss is below this share of the highest of its training: then all is small."""
AROUND = 3
"""Epochs around the kept one that are looked at together: one alone is noise."""
SCORES = frozenset(f"valid_{name}" for name, one in METRICS.items() if one.best == 1)
"""Columns of the history that a perfect training has a 1 in."""
SURE = 0.9
"""A perfect score is believed where a rate below this would rarely give one."""


@dataclass(frozen=True)
class Trouble:
    """One trouble of one training."""

    kind: Kind
    where: str
    """Fold, epochs and figures, as a part of a sentence."""
    epoch: int
    """Where it begins."""


def collapse(epochs: Sequence[Epoch], share: float) -> tuple[int, int] | None:
    """First and last epoch of a collapse to 0 that lasts to the end of the training, else None.

    Both means lie below 0.1, or below half of the share of positives where these are rarer, and
    the separation below half of that, in the last three epochs at least.
    """
    low = min(LOW, share / 2)
    numbers: list[int] = []
    for epoch in reversed(epochs):
        positive, negative = epoch.valid_p_positive, epoch.valid_p_negative
        if positive is None or negative is None:
            break
        if max(positive, negative) >= low or positive - negative >= low / 2:
            break
        numbers.insert(0, epoch.number)
    return (numbers[0], numbers[-1]) if len(numbers) >= LASTING else None


def swings(epochs: Sequence[Epoch], best: int) -> tuple[int, int] | None:
    """First and last epoch between which the inner loss swings, up to the kept one or beyond.

    In eight epochs at least half of the changes go back on the one before, and the median change
    is 0.15 or more and at least a quarter of the median loss: one wild epoch, a slow rise and the
    small noise of few patients are none of it. Swings that settled before the kept epoch are past.
    """
    windows = [epochs[n : n + WINDOW] for n in range(len(epochs) - WINDOW + 1)]
    swinging = [w for w in windows if w[-1].number >= best and _swings(w)]
    return (swinging[0][0].number, swinging[-1][-1].number) if swinging else None


def _swings(window: Sequence[Epoch]) -> bool:
    losses = [epoch.valid_loss for epoch in window if epoch.valid_loss is not None]
    if len(losses) < WINDOW:
        return False
    changes = [after - before for before, after in pairwise(losses)]
    back = sum(one * two < 0 for one, two in pairwise(changes))
    if 2 * back < len(changes) - 1:
        return False
    leap = statistics.median(abs(change) for change in changes)
    return leap >= max(LEAP, OF_LOSS * statistics.median(losses))


def missed(truth: Sequence[bool], called: Sequence[bool]) -> bool:
    """Whether there are three positives or more, and none of them was called positive."""
    found = [call for true, call in zip(truth, called, strict=True) if true]
    return len(found) >= FEW and not any(found)


def gap(epochs: Sequence[Epoch], best: int) -> tuple[float, float] | None:
    """Training and inner loss of the kept epoch where they are far apart, else None.

    Of the kept epoch and its neighbours the medians count. The training loss is below half of the
    inner one, and the inner one not below a quarter of where it was highest: what is right and sure
    in both has small losses, whose ratio says nothing. Changes while learning and dropout make a
    training loss larger, not smaller.
    """
    near = [e for e in epochs if abs(e.number - best) <= AROUND // 2]
    inner = [e.valid_loss for e in near if e.valid_loss is not None]
    if len(inner) < AROUND:
        return None
    taught, asked = statistics.median(e.train_loss for e in near), statistics.median(inner)
    highest = max(e.valid_loss for e in epochs if e.valid_loss is not None)
    far = taught < OF_INNER * asked and asked >= OF_FIRST * highest
    return (taught, asked) if far else None


def by_luck(patients: int) -> float:
    """The rate of right answers at which so many patients are all right one time in twenty.

    >>> round(by_luck(14), 2)
    0.81
    """
    return float(0.05 ** (1 / patients))


def troubles_of(fold: FoldFolder, number: int, classes: Sequence[str]) -> Iterator[Trouble]:
    """What the curves and the choices of a fold that has learnt show."""
    share, rows = 0.0, read_rows(fold.inner)
    if len(classes) == 2:
        threshold = read_json(fold.choices)["threshold"]
        truth = [row["label"] == classes[1] for row in rows]
        called = [float(row[f"probability_{classes[1]}"]) > threshold for row in rows]
        share = sum(truth) / len(truth)
        if missed(truth, called):
            where = f"{sum(truth)} inner positives of fold {number}, threshold {threshold:.3g}"
            yield Trouble("missed", where, read_json(fold.choices)["epoch"])
    history = read_rows(fold.history)
    for name, own in groupby(history, key=lambda row: row.get("training", "")):
        told = f"fold {number}" + (f" ({name})" if name else "")
        epochs = list(own)
        yield from _of_training(epochs, told, share)
        yield from _too_good(epochs, told, _asked_by(name, rows))


def _of_training(rows: Sequence[Mapping[str, str]], told: str, share: float) -> Iterator[Trouble]:
    epochs = [_epoch(row) for row in rows]
    best = next(epoch.number for epoch, row in zip(epochs, rows, strict=True) if row["best"] == "1")
    kept = f"epoch {best} was kept"
    if found := collapse(epochs, share):
        positive, negative = epochs[-1].valid_p_positive, epochs[-1].valid_p_negative
        means = f"mean {positive:.3f} of positives, {negative:.3f} of negatives"
        where = f"{told}, epochs {found[0]} to {found[1]}: {means}, {kept}"
        yield Trouble("collapse", where, found[0])
    if found := swings(epochs, best):
        losses = [e.valid_loss or 0.0 for e in epochs if found[0] <= e.number <= found[1]]
        ends = f"between {min(losses):.2f} and {max(losses):.2f}"
        where = f"{told}, epochs {found[0]} to {found[1]}: {ends}, {kept}"
        yield Trouble("swings", where, found[0])
    if are_together(epochs):
        width = epochs[-1].figures[DISTANCE]
        where = f"{told}, epoch {epochs[-1].number}: mean distance {width:.2g} of 2, {kept}"
        yield Trouble("together", where, epochs[-1].number)
    if apart := gap(epochs, best):
        where = f"{told}, {kept}: {apart[0]:.3g} of training, {apart[1]:.3g} of inner patients"
        yield Trouble("gap", where, best)


def _asked_by(training: str, inner: Sequence[Mapping[str, str]]) -> int:
    """How many inner patients a training was watched on."""
    part = training.removeprefix("first").removeprefix("-") or "0"
    return len({row["patient_id"] for row in inner if row.get("part", part) == part})


def _too_good(rows: Sequence[Mapping[str, str]], told: str, patients: int) -> Iterator[Trouble]:
    """A perfect score of so few inner patients that it says little."""
    best = next(row for row in rows if row["best"] == "1")
    for name in sorted(set(best) & SCORES):
        if best[name] and float(best[name]) == 1 and patients and by_luck(patients) < SURE:
            score = name.removeprefix("valid_")
            where = (
                f"{told}: {score} 1 on {patients}; one time in twenty so many are all right at a "
                f"rate of {by_luck(patients):.2f}"
            )
            yield Trouble("perfect", where, int(best["epoch"]))


def _epoch(row: Mapping[str, str]) -> Epoch:
    names = ("valid_loss", "valid_p_positive", "valid_p_negative")
    loss, positive, negative = (float(row[n]) if row.get(n) else None for n in names)
    return Epoch(
        int(row["epoch"]),
        float(row["train_loss"]),
        loss,
        valid_p_positive=positive,
        valid_p_negative=negative,
        figures={name: float(row[name]) for name in (ACTIVE, DISTANCE) if row.get(name)},
    )
