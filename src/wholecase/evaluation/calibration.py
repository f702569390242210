"""Probabilities that mean what they say: a temperature (Guo 2017), and a shift of each class."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from wholecase.evaluation.redraws import redraws
from wholecase.evaluation.smoothing import REDRAWS, Smoothed, smoothed

LOWEST, HIGHEST = 0.25, 8.0
"""Temperatures beyond these say that the model, not its calibration, is wrong."""
PRIOR_SPREAD = 0.5
"""Standard deviation of log T around 0 before a case is seen: T within 0.6 to 1.65 two times of
three. It is worth about one case, and keeps few or perfectly separated cases from an extreme T."""
SHIFT_SPREAD = 0.35
"""Standard deviation around 0 of what is added to the logarithm of each class, before a case is
seen: of two classes the log odds move by 0.5, two times of three (decision 29 has others)."""
LEAST_IN_FIT = 1e-12
"""A probability of 0 counts as this much: no single case can cost more than 28 nats."""


def fit_temperature(truth: Int[np.ndarray, " M"], probabilities: Float[np.ndarray, "M C"]) -> float:
    """The T between 0.25 and 8 for which softmax(log p / T) fits the truth best.

    Minimises the summed negative log-likelihood less the log of a log-normal prior around 1;
    without cases the answer is 1. T > 1 makes answers less sure.
    """
    from scipy.optimize import minimize_scalar

    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST_IN_FIT))

    def loss(log_t: float) -> float:
        scaled = _log_softmax(logs / np.exp(log_t))
        misfit = -scaled[np.arange(len(truth)), truth].sum()
        return float(misfit + 0.5 * (log_t / PRIOR_SPREAD) ** 2)

    # the sum of likelihood and prior may have two valleys: look at all before going down one
    grid = np.linspace(np.log(LOWEST), np.log(HIGHEST), 61)
    best = int(np.argmin([loss(float(at)) for at in grid]))
    around = (grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)])
    found = minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-8})
    return float(np.exp(found.x))


def smoothed_temperature(
    truth: Int[np.ndarray, " M"],
    probabilities: Float[np.ndarray, "M C"],
    patients: Sequence[str],
    *,
    seed: int = 0,
) -> Smoothed:
    """The temperature that redraws of the patients choose, drawn towards 1 as far as they disagree.

    Each redraw fits as `fit_temperature` does, to a step of 3 %. Of the mean of log T what stands
    out from its own noise is kept (`smoothed`); with few patients, or where no temperature fits
    better beyond chance, it stays near 1.
    """
    if not len(truth):
        return Smoothed(1.0, 1.0, 1.0)
    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST_IN_FIT))
    grid, rows = np.linspace(np.log(LOWEST), np.log(HIGHEST), 121), np.arange(len(truth))
    misfit = np.stack([-_log_softmax(logs / t)[rows, truth] for t in np.exp(grid)], axis=1)
    prior = 0.5 * (grid / PRIOR_SPREAD) ** 2
    drawn = redraws(tuple(patients), REDRAWS, seed)
    chosen = np.concatenate([grid[(w @ misfit + prior).argmin(axis=1)] for w in drawn])
    found = smoothed(chosen, 0.0)
    return Smoothed(*(float(np.exp(log_t)) for log_t in (found.value, found.low, found.high)))


def bias_corrected(
    truth: Int[np.ndarray, " M"], probabilities: Float[np.ndarray, "M C"]
) -> tuple[float, tuple[float, ...]]:
    """T, and a shift of each class, for which softmax(log p / T + shift) fits the truth best.

    A temperature alone cannot mend what learning from as many cases of each class does, whom it
    makes as frequent as each other (Alexandari 2020). Both have a prior, T that of
    `fit_temperature`; without cases the answer is 1 and no shift.
    """
    from scipy.optimize import minimize

    classes = probabilities.shape[1]
    logs = np.log(np.maximum(probabilities.astype(np.float64), LEAST_IN_FIT))
    was = np.eye(classes)[truth]

    def loss(at: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        log_t, shift = at[0], at[1:]
        scaled = logs / np.exp(log_t)
        told = _log_softmax(scaled + shift)
        off = np.exp(told) - was
        misfit = -(told * was).sum() + 0.5 * (log_t / PRIOR_SPREAD) ** 2
        slope = -(off * scaled).sum() + log_t / PRIOR_SPREAD**2
        slopes = np.concatenate([[slope], off.sum(0) + shift / SHIFT_SPREAD**2])
        return float(misfit + 0.5 * (shift**2).sum() / SHIFT_SPREAD**2), slopes

    bounds = [(np.log(LOWEST), np.log(HIGHEST)), *[(None, None)] * classes]
    starts = {0.0, float(np.log(fit_temperature(truth, probabilities)))}  # there may be two valleys
    found = min(
        (
            minimize(loss, np.array([log_t, *[0.0] * classes]), jac=True, bounds=bounds)
            for log_t in sorted(starts)
        ),
        key=lambda one: float(one.fun),
    )
    return float(np.exp(found.x[0])), tuple(found.x[1:].tolist())


def apply_temperature(
    probabilities: Float[np.ndarray, "M C"], temperature: float, shift: Sequence[float] = ()
) -> Float[np.ndarray, "M C"]:
    """softmax(log p / T + shift): rows sum to 1.

    Without a shift no case changes its most probable class; with one, of two classes the order of
    the cases stays.

    >>> apply_temperature(np.array([[0.2, 0.8]]), 2.0).round(3)
    array([[0.333, 0.667]])
    """
    # far lower than in the fit, so that very sure answers keep their order
    least = np.finfo(np.float64).tiny
    logs = np.log(np.maximum(probabilities.astype(np.float64), least)) / temperature
    calibrated: Float[np.ndarray, "M C"] = np.exp(
        _log_softmax(logs + np.array(shift) if len(shift) else logs)
    )
    return calibrated


def undo_temperature(
    calibrated: Float[np.ndarray, "M C"], temperature: float, shift: Sequence[float] = ()
) -> Float[np.ndarray, "M C"]:
    """What `apply_temperature` was given.

    >>> undo_temperature(np.array([[1 / 3, 2 / 3]]), 2.0).round(3)
    array([[0.2, 0.8]])
    """
    back = apply_temperature(calibrated, 1.0, [-one for one in shift])
    return apply_temperature(back, 1 / temperature)


def _log_softmax(values: Float[np.ndarray, "M C"]) -> Float[np.ndarray, "M C"]:
    shifted = values - values.max(axis=1, keepdims=True)
    logs: Float[np.ndarray, "M C"] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return logs
