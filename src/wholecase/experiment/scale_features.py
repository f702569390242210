"""The features of each magnification of a case, alone and side by side, for plain models."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Float32

MOST = 8
"""With more scales than these a cohort has no magnifications, but spacings of many scanners."""
SIDE_BY_SIDE = "side_by_side"

Means = dict[str, Float[np.ndarray, " D"]]
"""The mean of a case's instances by scale, `at_40`; and all of them side by side."""


def means_of(values: Float32[np.ndarray, "N D"], scale: Float32[np.ndarray, " N"]) -> Means:
    """Of each scale that a case has; an instance without scale is passed over."""
    names = np.array([named(one) for one in scale.tolist()])
    return {
        str(name): values[names == name].mean(axis=0, dtype=np.float64)
        for name in np.unique(names[~np.isnan(scale)])
    }


def named(scale: float) -> str:
    """A scale as part of a baseline's name.

    >>> named(40.0), named(0.2525)
    ('at_40', 'at_0.253')
    """
    return f"at_{scale:.3g}"


def of_each_scale(cases: Mapping[str, Means]) -> dict[str, Means]:
    """By `at_40` and so on, and `side_by_side`, the vector of each case; nan where it has none.

    Empty where the cases have one scale, none, or too many.
    """
    scales = sorted({name for means in cases.values() for name in means}, key=_size)
    if not 2 <= len(scales) <= MOST:
        return {}
    width = next(len(vector) for means in cases.values() for vector in means.values())
    lacking = np.full(width, np.nan)
    alone = {
        name: {case: means.get(name, lacking) for case, means in cases.items()} for name in scales
    }
    together = {case: np.concatenate([alone[name][case] for name in scales]) for case in cases}
    return {**alone, SIDE_BY_SIDE: together}


def _size(name: str) -> float:
    return float(name.removeprefix("at_"))


def filled(
    taught: Float[np.ndarray, "M D"], others: Sequence[Float[np.ndarray, "_ D"]]
) -> tuple[Float[np.ndarray, "M D"], list[Float[np.ndarray, "_ D"]]]:
    """What a case lacks becomes the mean over the cases that teach: a plain model takes no gaps."""
    known = ~np.isnan(taught)
    sums = np.where(known, taught, 0.0).sum(axis=0)
    means = sums / np.maximum(known.sum(axis=0), 1)

    def fill(features: Float[np.ndarray, "_ D"]) -> Float[np.ndarray, "_ D"]:
        return np.where(np.isnan(features), means, features)

    return fill(taught), [fill(features) for features in others]
