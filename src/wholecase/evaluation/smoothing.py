"""A choice that knows its noise: made anew in redraws of patients, and drawn to its default."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

REDRAWS = 200


@dataclass(frozen=True)
class Smoothed:
    """What redraws of the patients chose."""

    value: float
    """Their mean, drawn towards the default."""
    low: float
    high: float
    """Between which 95 % of them lie."""


def smoothed(draws: Float[np.ndarray, " R"], default: float) -> Smoothed:
    """The mean of R choices, as far from the default as it stands out from their disagreement.

    Of the distance d between mean and default the share 1 - v / d² is kept, and nothing where that
    is negative (James & Stein 1961); v is the variance of the choices. Few patients disagree
    widely, and the default stays; of many the mean is kept. Without draws it is the default.

    >>> round(smoothed(np.array([0.2, 0.4]), 0.5).value, 2)  # d = -0.2, v = 0.01
    0.35
    """
    if not len(draws):
        return Smoothed(default, default, default)
    away, noise = float(draws.mean()) - default, float(draws.var())
    kept = max(1 - noise / away**2, 0.0) if away else 0.0
    low, high = np.quantile(draws, [0.025, 0.975])
    return Smoothed(default + kept * away, float(low), float(high))
