"""Pixels with a physical spacing, whatever the file."""

from wholecase.sources.members import fingerprint, members
from wholecase.sources.opening import SOURCES, open_source
from wholecase.sources.plain import PlainSource
from wholecase.sources.region import ABOUT_EQUAL, Thumbnail, level_for, read_box, thumbnail
from wholecase.sources.slide import OpenSlideSource
from wholecase.sources.source import ImageSource, Level, Spacing

__all__ = [
    "ABOUT_EQUAL",
    "SOURCES",
    "ImageSource",
    "Level",
    "OpenSlideSource",
    "PlainSource",
    "Spacing",
    "Thumbnail",
    "fingerprint",
    "level_for",
    "members",
    "open_source",
    "read_box",
    "thumbnail",
]
