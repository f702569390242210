"""Measures of decisions: what can be read from a table of truth against decision."""

import numpy as np
from jaxtyping import Float, Int

from wholecase.evaluation.fraction import fraction


def weighted_confusion(
    truth: Int[np.ndarray, " M"],
    decision: Int[np.ndarray, " M"],
    classes: int,
    weights: Float[np.ndarray, "R M"],
) -> Float[np.ndarray, "R C C"]:
    """Weight of each pair of truth (row) and decision (column), for R weightings."""
    cells = np.eye(classes * classes)[truth * classes + decision]  # [M, C * C]
    tables: Float[np.ndarray, "R C C"] = (weights @ cells).reshape(-1, classes, classes)
    return tables


def recalls(confusion: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, "R C"]:
    """Share of each class that is decided as such; nan where it does not occur."""
    return fraction(_hits(confusion), confusion.sum(axis=2))


def specificities(confusion: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, "R C"]:
    """Share of the cases not of a class that are not decided as it; nan where there are none."""
    occurring, decided = confusion.sum(axis=2), confusion.sum(axis=1)
    others = confusion.sum(axis=(1, 2))[:, None] - occurring
    return fraction(others - (decided - _hits(confusion)), others)


def f1s(confusion: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, "R C"]:
    """Harmonic mean of precision and recall; nan where the class does not occur.

    (There it could only be 0 or 0/0, whatever was decided.)
    """
    occurring, decided = confusion.sum(axis=2), confusion.sum(axis=1)
    f1 = fraction(2 * _hits(confusion), occurring + decided)
    return np.where(occurring > 0, f1, np.nan)


def matthews(confusion: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, " R"]:
    """Correlation of truth and decision (Matthews 1975; of several classes Gorodkin 2004).

    0 where all decisions are the same; nan where one class only is there.
    """
    occurring, decided = confusion.sum(axis=2), confusion.sum(axis=1)
    everything = occurring.sum(axis=1)
    together = _hits(confusion).sum(axis=1) * everything - (occurring * decided).sum(axis=1)
    spreads = [everything**2 - (each**2).sum(axis=1) for each in (occurring, decided)]
    varied = np.where(spreads[1] > 0, spreads[1], 1.0)
    return fraction(np.where(spreads[1] > 0, together, 0.0), np.sqrt(spreads[0] * varied))


def _hits(confusion: Float[np.ndarray, "R C C"]) -> Float[np.ndarray, "R C"]:
    return np.diagonal(confusion, axis1=1, axis2=2)
