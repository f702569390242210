"""The instances that weighed most."""

import numpy as np
from jaxtyping import Float, Int64


def top_instances(weights: Float[np.ndarray, " N"], count: int) -> Int64[np.ndarray, " n"]:
    """Indices of the `count` greatest weights, greatest first; of equal ones the earlier first.

    >>> top_instances(np.array([0.1, 0.4, 0.1, 0.4]), 3).tolist()
    [1, 3, 0]
    """
    return np.argsort(-weights, kind="stable")[:count].astype(np.int64)
