"""How many cases nobody need look at, if no more than a share of the positives may be missed.

Cases below a cutoff on their risk are set aside. A cutoff that is chosen on the very cases that it
is judged on flatters itself: `set_aside` tells what it would spare there, `held_out` what it spares
and misses when each patient's cutoff is chosen on all others.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float

from wholecase.evaluation.fraction import fraction
from wholecase.evaluation.interval import Interval
from wholecase.evaluation.intervals import REPEATS, mean_interval
from wholecase.evaluation.redraws import intervals_of

SENSITIVITIES = (0.95, 0.98, 1.0)
_HAIR = 1e-9
"""0.95 of 20 cases are 19, whatever the last digit says."""


@dataclass(frozen=True)
class SetAside:
    """What one sensitivity allows."""

    sensitivity: float
    """That was asked for."""
    cutoff: float | None
    """Cases whose risk is below it are set aside; None without a positive case."""
    share: Interval
    """Of all cases, set aside; the cutoff is chosen anew in each redraw."""
    held_out_sensitivity: Interval
    """Share of positive cases above the cutoff of the other patients."""
    held_out_share: Interval
    """Share of all cases below the cutoff of the other patients."""


def set_asides(
    positive: Bool[np.ndarray, " M"],
    risk: Float[np.ndarray, " M"],
    patients: tuple[str, ...],
    *,
    seed: int,
    repeats: int = REPEATS,
) -> tuple[SetAside, ...]:
    """One for each of `SENSITIVITIES`, with 95 % intervals by patient; there must be a case."""
    return tuple(
        _set_aside(wanted, positive, risk, patients, seed=seed, repeats=repeats)
        for wanted in SENSITIVITIES
    )


def cutoff_for(
    positive: Bool[np.ndarray, " M"], risk: Float[np.ndarray, " M"], sensitivity: float
) -> float | None:
    """The highest cutoff at which that share of the positives, or more, is not below it.

    None without a positive case.

    >>> cutoff_for(np.array([False, True, True]), np.array([0.6, 0.5, 0.7]), 0.5)
    0.7
    """
    own = np.sort(risk[positive])[::-1]
    if not len(own):
        return None
    kept = int(np.ceil(sensitivity * len(own) - _HAIR))
    return float(own[max(kept, 1) - 1])


def weighted_share(
    positive: Bool[np.ndarray, " M"],
    risk: Float[np.ndarray, " M"],
    sensitivity: float,
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """Share of cases below their own cutoff for R weightings; nan where no positive has weight."""
    order = np.argsort(-risk, kind="stable")
    descending, heavy = risk[order], weights[:, order]
    ends = np.flatnonzero(np.append(descending[1:] != descending[:-1], True))
    read = np.cumsum(heavy, axis=1)[:, ends]
    caught = np.cumsum(heavy * positive[order], axis=1)[:, ends]
    positives, everything = caught[:, -1:], read[:, -1]
    first = np.argmax(caught >= sensitivity * positives - _HAIR, axis=1)
    aside = everything - read[np.arange(len(read)), first]
    return np.where(positives[:, 0] > 0, fraction(aside, everything), np.nan)


def held_out(
    positive: Bool[np.ndarray, " M"],
    risk: Float[np.ndarray, " M"],
    patients: tuple[str, ...],
    sensitivity: float,
) -> Float[np.ndarray, " M"]:
    """1 for cases below the cutoff of all other patients, else 0; nan where those tell none."""
    whose = np.array(patients, dtype=object)
    aside = np.full(len(risk), np.nan)
    for patient in dict.fromkeys(patients):
        own = whose == patient
        cutoff = cutoff_for(positive[~own], risk[~own], sensitivity)
        if cutoff is not None:
            aside[own] = risk[own] < cutoff
    return aside


def _set_aside(
    sensitivity: float,
    positive: Bool[np.ndarray, " M"],
    risk: Float[np.ndarray, " M"],
    patients: tuple[str, ...],
    *,
    seed: int,
    repeats: int,
) -> SetAside:
    aside = held_out(positive, risk, patients, sensitivity)
    caught = np.where(positive, 1 - aside, np.nan)
    share = {"share": partial(weighted_share, positive, risk, sensitivity)}
    intervals = intervals_of(share, patients, repeats=repeats, seed=seed)
    return SetAside(
        sensitivity,
        cutoff_for(positive, risk, sensitivity),
        intervals["share"],
        mean_interval(caught, patients, within=(0.0, 1.0), repeats=repeats, seed=seed),
        mean_interval(aside, patients, within=(0.0, 1.0), repeats=repeats, seed=seed),
    )
