"""Slides whose tissue is known."""

from instances.conftest import write_slide

__all__ = ["write_slide"]
