"""Drawn cohorts for demonstration and tests."""

from wholecase.phantoms.breakhis import draw_breakhis
from wholecase.phantoms.ct import draw_ct
from wholecase.phantoms.patches import draw_patches
from wholecase.phantoms.slides import draw_slides
from wholecase.phantoms.stills import draw_stills

__all__ = ["draw_breakhis", "draw_ct", "draw_patches", "draw_slides", "draw_stills"]
