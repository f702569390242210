"""The size of a slice's pixels."""

from wholecase.sources.source import Spacing

MOST_OBLONG = 0.02
"""By so much of the longer side the sides of a pixel may differ."""


def pixel_spacing(
    mpp: float | None, sides_mm: tuple[float, float] | None
) -> tuple[Spacing | None, str]:
    """The manifest's spacing, else the file's, and a note where there is none.

    Args:
        mpp: what the manifest says.
        sides_mm: between rows, between columns; None where the file does not tell.
    """
    if mpp is not None:
        return Spacing(mpp, "manifest"), ""
    if sides_mm is None:
        return None, "the series tells no pixel spacing"
    down, across = sides_mm
    longer = max(down, across)
    if not (min(down, across) > 0 and abs(down - across) <= MOST_OBLONG * longer):
        return None, f"pixels of {across:g} x {down:g} mm are not square"
    return Spacing(500 * (down + across), "pixel spacing"), ""
