"""Slides whose tissue is known."""

from toys.pyramids import write_slide

__all__ = ["write_slide"]
