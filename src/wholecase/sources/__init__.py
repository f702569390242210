"""Pixels with a physical spacing, whatever the file."""

from wholecase.sources.constant import one_value, refuse_one_value
from wholecase.sources.ct import is_nifti, volume_mask
from wholecase.sources.frames import split_page
from wholecase.sources.indexed import IndexedImages, split_index
from wholecase.sources.indexed_digests import fingerprints_of, indexed_digests
from wholecase.sources.members import fingerprint, members
from wholecase.sources.mosaic import band_columns
from wholecase.sources.opening import SOURCES, open_source, pixels_of
from wholecase.sources.plain import PlainSource
from wholecase.sources.png import refuse_damaged_png
from wholecase.sources.region import (
    ABOUT_EQUAL,
    Thumbnail,
    level_for,
    read_box,
    read_box_into,
    resized,
    thumbnail,
)
from wholecase.sources.samples import Window
from wholecase.sources.shown import as_picture
from wholecase.sources.slide import OpenSlideSource
from wholecase.sources.slides import shown_by_openslide
from wholecase.sources.source import Header, ImageSource, Laid, Level, Spacing

__all__ = [
    "ABOUT_EQUAL",
    "SOURCES",
    "Header",
    "ImageSource",
    "IndexedImages",
    "Laid",
    "Level",
    "OpenSlideSource",
    "PlainSource",
    "Spacing",
    "Thumbnail",
    "Window",
    "as_picture",
    "band_columns",
    "fingerprint",
    "fingerprints_of",
    "indexed_digests",
    "is_nifti",
    "level_for",
    "members",
    "one_value",
    "open_source",
    "pixels_of",
    "read_box",
    "read_box_into",
    "refuse_damaged_png",
    "refuse_one_value",
    "resized",
    "shown_by_openslide",
    "split_index",
    "split_page",
    "thumbnail",
    "volume_mask",
]
