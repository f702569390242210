"""Drawn CT of heads, as DICOM series whose truth is known."""

from wholecase.phantoms.ct.cohort import draw_ct

__all__ = ["draw_ct"]
