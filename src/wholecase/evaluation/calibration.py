"""Probabilities that mean what they say: one temperature for all classes (Guo 2017)."""

import numpy as np
from jaxtyping import Float, Int

LOWEST, HIGHEST = 0.25, 8.0
"""Temperatures beyond these say that the model, not its calibration, is wrong."""
PRIOR_SPREAD = 0.5
"""Standard deviation of log T around 0 before a case is seen: T within 0.6 to 1.65 two times of
three. It is worth about one case, and keeps few or perfectly separated cases from an extreme T."""
LEAST_IN_FIT = 1e-12
"""A probability of 0 counts as this much: no single case can cost more than 28 nats."""


def fit_temperature(truth: Int[np.ndarray, " M"], probabilities: Float[np.ndarray, "M C"]) -> float:
    """The T between 0.25 and 8 for which softmax(log p / T) fits the truth best.

    Minimises the summed negative log-likelihood less the log of a log-normal prior around 1;
    without cases the answer is 1. T > 1 makes answers less sure.
    """
    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST_IN_FIT))

    def loss(log_t: float) -> float:
        scaled = _log_softmax(logs / np.exp(log_t))
        misfit = -scaled[np.arange(len(truth)), truth].sum()
        return float(misfit + 0.5 * (log_t / PRIOR_SPREAD) ** 2)

    # the sum of likelihood and prior may have two valleys: look at all before going down one
    grid = np.linspace(np.log(LOWEST), np.log(HIGHEST), 61)
    best = int(np.argmin([loss(float(at)) for at in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    while high - low > 1e-6:  # golden section
        left, right = high - (high - low) / _GOLDEN, low + (high - low) / _GOLDEN
        low, high = (low, right) if loss(left) <= loss(right) else (left, high)
    return float(np.exp((low + high) / 2))


_GOLDEN = (1 + 5**0.5) / 2


def apply_temperature(
    probabilities: Float[np.ndarray, "M C"], temperature: float
) -> Float[np.ndarray, "M C"]:
    """softmax(log p / T): rows sum to 1, and no case changes its most probable class.

    >>> apply_temperature(np.array([[0.2, 0.8]]), 2.0).round(3)
    array([[0.333, 0.667]])
    """
    # far lower than in the fit, so that very sure answers keep their order
    least = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(probabilities.astype(np.float64), least))
    calibrated: Float[np.ndarray, "M C"] = np.exp(_log_softmax(logs / temperature))
    return calibrated


def calibration_slope(truth: Int[np.ndarray, " M"], probability: Float[np.ndarray, " M"]) -> float:
    """Slope of the log odds of the truth on those that were said (Cox 1958): 1 is honest.

    Below 1 the probabilities are too extreme, above 1 too timid; the logistic fit has its own
    intercept. `truth` is 0 or 1. nan where a probability parts the two perfectly, or does not
    vary: no slope fits best there.
    """
    said = np.clip(probability.astype(np.float64), LEAST_IN_FIT, 1 - LEAST_IN_FIT)
    odds = np.log(said / (1 - said))
    with_it, without = odds[truth == 1], odds[truth != 1]
    if not len(with_it) or not len(without) or np.ptp(odds) == 0:
        return float("nan")
    if with_it.min() >= without.max() or without.min() >= with_it.max():
        return float("nan")
    scale = odds.std()
    design = np.stack([np.ones(len(odds)), (odds - odds.mean()) / scale], axis=1)
    return float(_logistic(design, np.where(truth == 1, 1.0, -1.0))[1] / scale)


def _logistic(
    design: Float[np.ndarray, "M D"], sign: Float[np.ndarray, " M"]
) -> Float[np.ndarray, " D"]:
    """Newton's way down to the coefficients of greatest likelihood; a step too far is halved."""

    def loss(at: Float[np.ndarray, " D"]) -> float:
        return float(np.logaddexp(0.0, -sign * (design @ at)).sum())

    beta = np.zeros(design.shape[1])
    for _ in range(100):
        wrong = np.exp(-np.logaddexp(0.0, sign * (design @ beta)))  # [M]: share given to the other
        curvature = design.T @ (design * (wrong * (1 - wrong))[:, None])
        step = np.linalg.lstsq(curvature, design.T @ (sign * wrong), rcond=None)[0]
        while loss(beta + step) > loss(beta) and np.abs(step).max() > 1e-12:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            break
    return beta


def _log_softmax(values: Float[np.ndarray, "M C"]) -> Float[np.ndarray, "M C"]:
    shifted = values - values.max(axis=1, keepdims=True)
    logs: Float[np.ndarray, "M C"] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
