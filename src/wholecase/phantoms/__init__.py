"""Drawn cohorts for demonstration and tests."""

from wholecase.phantoms.slides import draw_slides

__all__ = ["draw_slides"]
