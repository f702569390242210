"""Pixels with a physical spacing, whatever the file."""

from wholecase.sources.source import ImageSource, Level, Spacing

__all__ = ["ImageSource", "Level", "Spacing"]
