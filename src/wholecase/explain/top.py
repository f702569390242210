"""The instances that weighed most, and those that weighed least."""

import numpy as np
from jaxtyping import Float, Int64


def top_instances(weights: Float[np.ndarray, " N"], count: int) -> Int64[np.ndarray, " n"]:
    """Indices of the `count` greatest weights, greatest first; of equal ones the earlier first.

    >>> top_instances(np.array([0.1, 0.4, 0.1, 0.4]), 3).tolist()
    [1, 3, 0]
    """
    return np.argsort(-weights, kind="stable")[:count].astype(np.int64)


def least_instances(
    weights: Float[np.ndarray, " N"], count: int, *, apart: int = 0
) -> Int64[np.ndarray, " n"]:
    """Indices of the `count` least weights, least first, without the `apart` greatest.

    >>> least_instances(np.array([0.1, 0.4, 0.1, 0.4]), 3, apart=2).tolist()
    [2, 0]
    """
    others = top_instances(weights, len(weights))[apart:]
    return others[::-1][:count].astype(np.int64)
