"""Division that says nan where nothing is counted."""

import numpy as np
from jaxtyping import Float


def fraction(
    part: Float[np.ndarray, "*shape"], whole: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """`part / whole`, nan where the whole is 0, without a warning."""
    ratio = np.full(part.shape, np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio
