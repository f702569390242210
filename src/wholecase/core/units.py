"""Lengths are micrometres unless the name says otherwise."""

import math

LEAST_SPACING_UM = 0.05
"""Finer than any light microscope resolves."""
MOST_SPACING_UM = 50.0
"""Coarser than any slide scanner delivers, thumbnails included."""
SPACING_AT_1X_UM = 10.0
"""Objective power times µm/px: 10x is 1 µm/px, 20x is 0.5, 40x is 0.25."""


def is_plausible_spacing(spacing_um: float) -> bool:
    """Whether a spacing in µm/px can belong to a light microscope.

    >>> is_plausible_spacing(0.25), is_plausible_spacing(0.0), is_plausible_spacing(96.0)
    (True, False, False)
    """
    return math.isfinite(spacing_um) and LEAST_SPACING_UM <= spacing_um <= MOST_SPACING_UM


def spacing_of_power(power: float) -> float:
    """Spacing in µm/px that an objective power stands for, by the scanners' convention.

    >>> spacing_of_power(40.0)
    0.25
    """
    return SPACING_AT_1X_UM / power
