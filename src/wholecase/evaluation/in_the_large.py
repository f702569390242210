"""Are probabilities right on the whole, and along their range, and what would chance show?"""

from collections.abc import Sequence

import numpy as np
import scipy
from jaxtyping import Float, Int

from wholecase.core.seeds import generator
from wholecase.evaluation.bounds import effective
from wholecase.evaluation.honesty import weighted_calibration_error
from wholecase.evaluation.interval import UNDEFINED, Interval, without_ends

TIMES = 500
"""Draws of honest truths behind the error that they show."""
KNOTS = 3
LEAST_OF_CLASS = 10
"""Cases of the rarer class below which no smooth curve is drawn through them."""
CLIP = 1e-6


def observed_expected(
    truth: Int[np.ndarray, " M"], said: Float[np.ndarray, " M"], patients: Sequence[str]
) -> Interval:
    """Positives that there are, by those that the probabilities announce: 1 is honest.

    The interval is on the logarithm (Debray 2017), of as many cases as the patients stand for.

    >>> told = observed_expected(np.array([1, 0, 0, 1]), np.full(4, 0.25), tuple("abcd"))
    >>> told.value
    2.0
    """
    n, expected = len(set(patients)), float(said.astype(np.float64).sum())
    positives = float((truth == 1).sum())
    if not positives or not expected or positives == len(truth):
        return without_ends(None, n, UNDEFINED)
    value, share = positives / expected, positives / len(truth)
    counted = share * effective(tuple(patients))
    reach = float(scipy.special.ndtri(0.975)) * float(np.sqrt((1 - share) / counted))
    return Interval(
        value, value * float(np.exp(-reach)), value * float(np.exp(reach)), n, "formula"
    )


def smooth_curve(
    truth: Int[np.ndarray, " M"], said: Float[np.ndarray, " M"]
) -> Float[np.ndarray, " M"] | None:
    """How likely each case is positive, by a smooth curve through all (Austin & Steyerberg 2019).

    Logistic regression on a natural-ended spline of the log odds. None with fewer than ten cases of
    a class, or where probabilities hardly vary.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import SplineTransformer

    if min(int((truth == c).sum()) for c in (0, 1)) < LEAST_OF_CLASS:
        return None
    odds = scipy.special.logit(np.clip(said.astype(np.float64), CLIP, 1 - CLIP))
    if len(np.unique(odds)) <= KNOTS or np.ptp(odds) < CLIP:
        return None
    basis = SplineTransformer(KNOTS + 1, degree=3, knots="quantile", extrapolation="linear")
    model = LogisticRegression(C=1e3, max_iter=2000)
    fitted: Float[np.ndarray, " M"] = model.fit(
        basis.fit_transform(odds[:, None]), truth
    ).predict_proba(basis.transform(odds[:, None]))[:, 1]
    return fitted


def integrated_index(truth: Int[np.ndarray, " M"], said: Float[np.ndarray, " M"]) -> float | None:
    """Mean distance of what was said from the smooth curve (ICI; Austin & Steyerberg 2019)."""
    curve = smooth_curve(truth, said)
    return None if curve is None else float(np.abs(curve - said).mean())


def error_if_honest(said: Float[np.ndarray, " M"], seed: int) -> float:
    """The calibration error that honest probabilities would show at this number of cases.

    The mean over truths that are drawn as the probabilities say: with few cases it is far above 0,
    and a measured error near it is no sign of dishonesty.
    """
    rng = generator(seed, "honest")
    rows = np.stack([1 - said, said], axis=1)
    once = np.ones((1, len(said)))
    drawn = rng.random((TIMES, len(said))) < said
    errors = [
        weighted_calibration_error(one.astype(np.int64), rows, one.astype(np.int64), once)[0]
        for one in drawn
    ]
    return float(np.mean(errors))
