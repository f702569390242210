"""Points for figures: ROC, precision and recall, reliability, confusion, net benefit."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from wholecase.evaluation.redraws import redraws


@dataclass(frozen=True)
class Curve:
    """P points; point i is what the rule `score > thresholds[i]` gives. Thresholds fall."""

    x: Float[np.ndarray, " P"]
    y: Float[np.ndarray, " P"]
    thresholds: Float[np.ndarray, " P"]


@dataclass(frozen=True)
class Reliability:
    """P bins that hold cases: what was said against what was so."""

    predicted: Float[np.ndarray, " P"]
    """Mean probability in the bin."""
    observed: Float[np.ndarray, " P"]
    """Share of positives in the bin, with its 95 % Wilson interval `low` to `high`."""
    low: Float[np.ndarray, " P"]
    high: Float[np.ndarray, " P"]
    count: Int[np.ndarray, " P"]


@dataclass(frozen=True)
class DecisionCurve:
    """Net benefit of acting on a model at T threshold probabilities, and of not asking it."""

    thresholds: Float[np.ndarray, " T"]
    model: Float[np.ndarray, " T"]
    """With its 95 % interval by patient, point by point, `low` to `high`."""
    low: Float[np.ndarray, " T"]
    high: Float[np.ndarray, " T"]
    everybody: Float[np.ndarray, " T"]
    """Of calling every case positive; calling none has a net benefit of 0."""


def roc(truth: Int[np.ndarray, " M"], score: Float[np.ndarray, " M"]) -> Curve:
    """False positive rate (x) against sensitivity (y), from (0, 0) to (1, 1).

    `truth` is 0 or 1. There are no points where only one of them occurs.
    """
    found, wrong, thresholds = _counts_above(truth == 1, score)
    if found[-1] == 0 or wrong[-1] == 0:
        return Curve(np.empty(0), np.empty(0), np.empty(0))
    return Curve(wrong / wrong[-1], found / found[-1], thresholds)


def precision_recall(truth: Int[np.ndarray, " M"], score: Float[np.ndarray, " M"]) -> Curve:
    """Recall (x) against precision (y), recall rising to 1; steps between them hold `auprc`.

    `truth` is 0 or 1. There are no points where only one of them occurs, and none for the
    threshold above which nobody is: a precision of nobody does not exist.
    """
    found, wrong, thresholds = _counts_above(truth == 1, score)
    if found[-1] == 0 or wrong[-1] == 0:
        return Curve(np.empty(0), np.empty(0), np.empty(0))
    return Curve(found[1:] / found[-1], found[1:] / (found[1:] + wrong[1:]), thresholds[1:])


def reliability(
    truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"], bins: int = 10
) -> Reliability:
    """Observed share against mean probability in bins of equal width that are not empty.

    The intervals (Wilson 1927) take cases as independent: they are too narrow where patients have
    several.
    """
    bin_of = np.clip((probability * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    held = np.flatnonzero(count)
    n = count[held]
    predicted = np.bincount(bin_of, probability, minlength=bins)[held] / n
    observed = np.bincount(bin_of, truth == 1, minlength=bins)[held] / n
    low, high = _wilson(observed, n)
    return Reliability(predicted, observed, low, high, n)


def expected_calibration_error(
    truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"], bins: int = 10
) -> float:
    """Mean distance between observed share and mean probability over bins, by cases (Naeini 2015).

    With more than two classes give `(truth == decision)` as 0 and 1, and the probability of the
    decision.

    >>> round(expected_calibration_error(np.array([0, 1]), np.array([0.75, 0.75])), 3)
    0.25
    """
    points = reliability(truth, probability, bins)
    distances = np.abs(points.observed - points.predicted) * points.count
    return float(distances.sum() / len(truth))


def confusion(
    truth: Int[np.ndarray, " M"], decision: Int[np.ndarray, " M"], classes: int
) -> Int[np.ndarray, "C C"]:
    """Cases of each pair of truth (row) and decision (column).

    >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    return np.bincount(truth * classes + decision, minlength=classes**2).reshape(classes, classes)


def decision_curve(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    patients: tuple[str, ...],
    *,
    repeats: int = 1000,
    seed: int,
) -> DecisionCurve:
    """Net benefit at the thresholds 0.01, 0.02 ... 0.99 (Vickers & Elkin 2006).

    Right calls less wrong ones, per case, a wrong one weighing t / (1 - t): whoever acts from a
    probability of 0.2 on accepts four false alarms for one case that is found. Called is what lies
    above the threshold. `truth` is 0 or 1; there must be a case.
    """
    thresholds = np.arange(1, 100) / 100
    positive = (truth == 1)[:, None]
    gain = np.where(positive, 1.0, -thresholds / (1 - thresholds))  # [M, T]: of calling the case
    own = np.where(probability[:, None] > thresholds, gain, 0.0)
    drawn = [w @ own / w.sum(axis=1, keepdims=True) for w in redraws(patients, repeats, seed)]
    low, high = np.quantile(np.concatenate(drawn), [0.025, 0.975], axis=0)
    return DecisionCurve(thresholds, own.mean(axis=0), low, high, gain.mean(axis=0))


def _counts_above(
    positive: Bool[np.ndarray, " M"], score: Float[np.ndarray, " M"]
) -> tuple[Int[np.ndarray, " P"], Int[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    """Positives and negatives above each threshold: the distinct scores, and one below them all."""
    distinct, group = np.unique(-score.astype(np.float64), return_inverse=True)
    found = np.bincount(group, positive).astype(np.int64)
    wrong = np.bincount(group, ~positive).astype(np.int64)
    thresholds = np.append(-distinct, np.nextafter(-distinct[-1], -np.inf))
    return np.append(0, np.cumsum(found)), np.append(0, np.cumsum(wrong)), thresholds


def _wilson(
    share: Float[np.ndarray, " P"], n: Int[np.ndarray, " P"]
) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, " P"]]:
    z = 1.959964  # 97.5 % of a standard normal lie below
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)
