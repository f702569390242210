"""Answers where the positive class is rarer, or more frequent, than among those learnt from.

What a case shows of its class is taken to be the same in both places (prior shift); then odds are
multiplied by how much the odds of the class themselves differ (Elkan 2001; Saerens 2002).
"""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float

from wholecase.core.errors import RunError
from wholecase.evaluation.bounds import effective
from wholecase.evaluation.interval import Interval, without_ends
from wholecase.evaluation.scores import Scores

STEPS, HAIR = 10_000, 1e-9
LEAST, MOST = 1e-6, 1 - 1e-6
"""No estimate goes beyond: of few cases all probabilities may agree."""


def refuse_no_share(share: float, what: str) -> None:
    """Pass a share that leaves room for both classes.

    Raises:
        RunError: it is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise RunError(f"{what} is {share:g}; a prevalence lies between 0 and 1, such as 0.06")


def reweighted(
    positive: Float[np.ndarray, " M"], learnt: float, here: float
) -> Float[np.ndarray, " M"]:
    """Probabilities of the positive class where its share is `here` instead of `learnt`.

    >>> reweighted(np.array([0.5, 0.9]), 0.5, 0.1).round(3)
    array([0.1, 0.5])
    """
    for share, what in ((learnt, "the learnt share"), (here, "the prevalence")):
        refuse_no_share(share, what)
    shift = scipy.special.logit(here) - scipy.special.logit(learnt)
    odds = scipy.special.logit(np.clip(positive.astype(np.float64), 1e-12, 1 - 1e-12))
    moved: Float[np.ndarray, " M"] = scipy.special.expit(odds + shift)
    return moved


def estimated_prevalence(positive: Float[np.ndarray, " M"], learnt: float) -> float:
    """The share of positives among cases whose truth is unknown, by what a model says of them.

    The most likely share, given calibrated probabilities of a model that learnt where the share was
    `learnt` (expectation maximisation; Saerens 2002). It rests on calibration: a model that is too
    sure gives a share that is too far from one half.
    """
    share = learnt
    for _ in range(STEPS):
        next_share = float(np.clip(reweighted(positive, learnt, share).mean(), LEAST, MOST))
        if abs(next_share - share) < HAIR:
            break
        share = next_share
    return share


@dataclass(frozen=True)
class Predictive:
    """What an answer means at a prevalence."""

    prevalence: float
    positive: Interval
    """Share of positives among cases that are called positive (PPV)."""
    negative: Interval
    """Share of negatives among cases that are called negative (NPV)."""


def predictive_values(scores: Scores, prevalence: float, alpha: float = 0.05) -> Predictive:
    """PPV and NPV that the decisions on two classes would have at a prevalence.

    From sensitivity and specificity, which are taken to hold there too, with intervals on the
    logarithm of the odds (Mercaldo 2007), half a case added to each cell; of several cases of a
    patient as many count as they stand for (Kish 1965).

    Raises:
        RunError: the prevalence is not between 0 and 1.
    """
    refuse_no_share(prevalence, "the prevalence")
    patients, n = np.array(scores.patients, dtype=object), len(set(scores.patients))
    sizes, right = [], []
    for target in (1, 0):
        own = scores.truth == target
        sizes.append(effective(tuple(patients[own])) if own.any() else 0.0)
        right.append(float((scores.decision[own] == target).mean()) if own.any() else np.nan)
    if not all(sizes):
        none = without_ends(None, n, "undefined for these cases")
        return Predictive(prevalence, none, none)
    se, sp = right
    odds = prevalence / (1 - prevalence)
    seen = se + (1 - sp) / odds, sp + (1 - se) * odds
    values = [r / s if s > 0 else None for r, s in zip((se, sp), seen, strict=True)]
    ends = _ends(sizes, right, odds, float(scipy.special.ndtri(1 - alpha / 2)))
    told = [
        without_ends(None, n, "nobody is called so")
        if v is None
        else Interval(v, min(low, v), max(high, v), n, "formula")
        for v, (low, high) in zip(values, ends, strict=True)
    ]
    return Predictive(prevalence, told[0], told[1])


def _ends(
    sizes: list[float], right: list[float], odds: float, z: float
) -> list[tuple[float, float]]:
    (some, others), hits = sizes, [r * s for r, s in zip(right, sizes, strict=True)]
    se, sp = ((h + 0.5) / (s + 1) for h, s in zip(hits, sizes, strict=True))
    spread = (1 - se) / se / (some + 1) + sp / (1 - sp) / (others + 1)
    mirrored = se / (1 - se) / (some + 1) + (1 - sp) / sp / (others + 1)
    at = np.log(se / (1 - sp) * odds), np.log(sp / (1 - se) / odds)
    reach = z * np.sqrt(spread), z * np.sqrt(mirrored)
    return [
        (float(scipy.special.expit(middle - r)), float(scipy.special.expit(middle + r)))
        for middle, r in zip(at, reach, strict=True)
    ]
