"""Where slope and intercept of calibration may lie, by patient, from how scores vary among them."""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float, Int

from wholecase.evaluation.bounds import Ends
from wholecase.evaluation.honesty import calibration_intercept, calibration_line, log_odds
from wholecase.evaluation.scores import Scores

LEAST = 10
"""Patients of either class; of fewer the normal distribution says nothing."""


def slope_ends(scores: Scores, alpha: float) -> Ends | None:
    """Of the calibration slope; None with too few patients of a class."""
    truth, odds = _asked(scores)
    line = calibration_line(truth, scores.probabilities[:, 1], np.ones(len(truth)))
    if line is None or _is_few(scores):
        return None
    design = np.stack([np.ones(len(odds)), odds], axis=1)
    return _around(
        line[1], (design, truth, scipy.special.expit(line[0] + line[1] * odds)), scores, alpha
    )


def intercept_ends(scores: Scores, alpha: float) -> Ends | None:
    """Of the calibration intercept; None with too few patients of a class."""
    truth, odds = _asked(scores)
    if _is_few(scores):
        return None
    at = calibration_intercept(truth, scores.probabilities[:, 1])
    return _around(
        at, (np.ones((len(odds), 1)), truth, scipy.special.expit(odds + at)), scores, alpha
    )


def _asked(scores: Scores) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, " M"]]:
    return (scores.truth == 1).astype(np.int64), log_odds(scores.probabilities[:, 1])


def _is_few(scores: Scores) -> bool:
    patients = np.array(scores.patients, dtype=object)
    return min(len(set(patients[scores.truth == c])) for c in (0, 1)) < LEAST


Fit = tuple[Float[np.ndarray, "M P"], Int[np.ndarray, " M"], Float[np.ndarray, " M"]]
"""Design, truth, and the probability that was fitted."""


def _around(value: float, fit: Fit, scores: Scores, alpha: float) -> Ends:
    """The last coefficient, with the deviation that its patients' scores give (Huber 1967)."""
    reach = float(scipy.special.ndtri(1 - alpha / 2)) * float(
        np.sqrt(_spread(fit, scores.patients)[-1, -1])
    )
    return value - reach, value + reach


def _spread(fit: Fit, patients: Sequence[str]) -> Float[np.ndarray, "P P"]:
    """Covariance of the coefficients, whole patients being independent."""
    design, truth, fitted = fit
    names, whose = np.unique(np.array(patients), return_inverse=True)
    pulls = np.zeros((len(names), design.shape[1]))
    np.add.at(pulls, whose, design * (truth - fitted)[:, None])
    bread = np.linalg.pinv(design.T @ (design * (fitted * (1 - fitted))[:, None]))
    n = len(names)
    spread: Float[np.ndarray, "P P"] = bread @ (pulls.T @ pulls) @ bread * (n / (n - 1))
    return spread
