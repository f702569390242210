"""Bags on disk: one file per image, never mixed; and the feature files of other tools."""

from wholecase.features.bag import Bag
from wholecase.features.beside import GEOJSON, PICTURE
from wholecase.features.foreign import (
    SUFFIXES,
    VERSION,
    ForeignFeatures,
    foreign_tensor,
    glance_foreign,
    read_foreign,
    width_of,
)
from wholecase.features.layouts import clam_patches
from wholecase.features.lock import Lock
from wholecase.features.store import Store, UnwritableError
from wholecase.features.survey import Flaw, Surveyed, survey
from wholecase.features.tidy import tidy

__all__ = [
    "GEOJSON",
    "PICTURE",
    "SUFFIXES",
    "VERSION",
    "Bag",
    "Flaw",
    "ForeignFeatures",
    "Lock",
    "Store",
    "Surveyed",
    "UnwritableError",
    "clam_patches",
    "foreign_tensor",
    "glance_foreign",
    "read_foreign",
    "survey",
    "tidy",
    "width_of",
]
