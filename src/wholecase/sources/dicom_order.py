"""In which order frames lie that do not say it: along rows as the standard has it, or columns."""

import contextlib
from collections.abc import Callable

import numpy as np
from jaxtyping import UInt8

from wholecase.core.errors import SourceError

MOST_PAIRS = 24
"""Pairs of consecutive frames that are compared, evenly spaced."""


def runs_down(frame: Callable[[int], UInt8[np.ndarray, "H W 3"]], count: int) -> bool:
    """Whether consecutive frames fit together better one below the other than side by side.

    Some writers lay frames down column by column and give no DimensionOrganizationType; read row by
    row, such a slide is a shuffled one. A frame that follows another on the slide continues its
    edge.
    """
    starts = np.unique(np.linspace(0, count - 2, min(count - 1, MOST_PAIRS)).astype(int))
    beside = below = 0.0
    for start in starts.tolist():
        with contextlib.suppress(SourceError):  # a damaged frame costs its region, later
            one, other = (frame(n).astype(np.int16) for n in (start, start + 1))
            beside += float(np.abs(one[:, -1] - other[:, 0]).mean())
            below += float(np.abs(one[-1] - other[0]).mean())
    return below < beside
