"""Whether probabilities mean what they say: calibration error, slope and intercept."""

import numpy as np
import scipy
from jaxtyping import Float, Int

from wholecase.evaluation.fraction import fraction

FEW_CASES = 100
"""Below so many cases five bins instead of ten: a bin of two cases says nothing."""
LEAST = 1e-12
"""A probability of 0 counts as this much: no case can be further off than 28 nats."""


def bins_for(cases: int) -> int:
    """Into how many bins of probability so many cases are sorted."""
    return 5 if cases < FEW_CASES else 10


def said(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    decision: Int[np.ndarray, " M"],
) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    """What can be held against the truth: the positive class of two, else the decision.

    Whether it was so (0 or 1), and how likely it was called.
    """
    if probabilities.shape[1] == 2:
        return (truth == 1).astype(np.int64), probabilities[:, 1]
    return (truth == decision).astype(np.int64), probabilities[np.arange(len(truth)), decision]


def weighted_calibration_error(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    decision: Int[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """Expected calibration error (Naeini 2015) in the bins that so many cases allow."""
    so, likely = said(truth, probabilities, decision)
    few, many = (
        _error(so, likely, weights, bins_for(cases)) for cases in (FEW_CASES - 1, FEW_CASES)
    )
    return np.where(weights.sum(axis=1) < FEW_CASES, few, many)


def _error(
    so: Int[np.ndarray, " M"],
    likely: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
    bins: int,
) -> Float[np.ndarray, " R"]:
    bin_of = np.clip((likely * bins).astype(np.int64), 0, bins - 1)
    gaps = (so - likely.astype(np.float64))[:, None] * np.eye(bins)[bin_of]  # [M, bins]
    return fraction(np.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def calibration_slope(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
    """Slope of the log odds of the truth on those that were said (Cox 1958): 1 is honest.

    Below 1 the probabilities are too extreme, above 1 too timid; the logistic fit has its own
    intercept. `truth` is 0 or 1. nan where a probability parts the two perfectly, or does not
    vary: no slope fits best there.
    """
    return _slope(truth, probability, np.ones(len(truth)))


def calibration_intercept(
    truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]
) -> float:
    """What must be added to all log odds for as many cases as were said to be positive: 0 is best.

    Above 0 the probabilities are too low on the whole, below too high (calibration in the large;
    Van Calster 2019). nan where one class only is there.

    >>> round(calibration_intercept(np.array([0, 1]), np.array([0.5, 0.5])), 6)
    0.0
    """
    return _intercept(truth, probability, np.ones(len(truth)))


def weighted_slope(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    decision: Int[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """`calibration_slope` for R weightings, one after the other."""
    del decision
    return np.array([_slope(truth, probabilities[:, 1], row) for row in weights])


def weighted_intercept(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    decision: Int[np.ndarray, " M"],
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, " R"]:
    """`calibration_intercept` for R weightings, one after the other."""
    del decision
    return np.array([_intercept(truth, probabilities[:, 1], row) for row in weights])


def log_odds(probability: Float[np.ndarray, " M"]) -> Float[np.ndarray, " M"]:
    """As the calibration fits take them, none of them infinite."""
    likely = np.clip(probability.astype(np.float64), LEAST, 1 - LEAST)
    odds: Float[np.ndarray, " M"] = np.log(likely / (1 - likely))
    return odds


def _intercept(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, " M"],
) -> float:
    from scipy.optimize import brentq

    odds, positives = log_odds(probability), weights @ (truth == 1)
    if positives == 0 or positives == weights.sum():
        return float("nan")
    return float(
        brentq(lambda at: weights @ scipy.special.expit(odds + at) - positives, -60.0, 60.0)
    )


def _slope(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, " M"],
) -> float:
    line = calibration_line(truth, probability, weights)
    return float("nan") if line is None else line[1]


def calibration_line(
    truth: Int[np.ndarray, " M"],
    probability: Float[np.ndarray, " M"],
    weights: Float[np.ndarray, " M"],
) -> tuple[float, float] | None:
    """Intercept and slope of the log odds of the truth on those that were said; None where none."""
    counted = weights > 0
    odds, positive, weights = (
        log_odds(probability)[counted],
        truth[counted] == 1,
        weights[counted],
    )
    with_it, without = odds[positive], odds[~positive]
    if not len(with_it) or not len(without) or np.ptp(odds) == 0:
        return None
    if with_it.min() >= without.max() or without.min() >= with_it.max():
        return None
    middle, scale = float(odds.mean()), float(odds.std())
    sign = np.where(positive, 1.0, -1.0)
    at, slope = _logistic((odds - middle) / scale, sign, weights / weights.sum())
    return at - slope * middle / scale, slope / scale


def _logistic(
    x: Float[np.ndarray, " M"], sign: Float[np.ndarray, " M"], weights: Float[np.ndarray, " M"]
) -> tuple[float, float]:
    """Intercept and slope of greatest likelihood."""
    from scipy.optimize import minimize

    design = np.stack([np.ones(len(x)), x], axis=1)

    def loss(at: Float[np.ndarray, " 2"]) -> float:
        return -float(weights @ scipy.special.log_expit(sign * (design @ at)))

    def gradient(at: Float[np.ndarray, " 2"]) -> Float[np.ndarray, " 2"]:
        wrong: Float[np.ndarray, " 2"] = -design.T @ (
            weights * sign * scipy.special.expit(-sign * (design @ at))
        )
        return wrong

    def curvature(at: Float[np.ndarray, " 2"]) -> Float[np.ndarray, "2 2"]:
        share = scipy.special.expit(design @ at)
        steep = design * (weights * share * (1 - share))[:, None]
        bend: Float[np.ndarray, "2 2"] = design.T @ steep
        return bend

    found = minimize(
        loss,
        np.zeros(2),
        jac=gradient,
        hess=curvature,
        method="trust-exact",
        options={"gtol": 1e-10},
    )
    return float(found.x[0]), float(found.x[1])
