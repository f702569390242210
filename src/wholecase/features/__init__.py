"""Bags on disk: one file per image, never mixed; and the feature files of other tools."""

from wholecase.core.lock import Lock
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
from wholecase.features.packs import PackIndex
from wholecase.features.pixels import Imposed, PixelStore, chunks, content_digest, pixel_key
from wholecase.features.row_writer import RowWriter
from wholecase.features.rows import Rows, write_rows_in_blocks
from wholecase.features.store import Store, UnwritableError, unwritable
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
    "Imposed",
    "Lock",
    "PackIndex",
    "PixelStore",
    "RowWriter",
    "Rows",
    "Store",
    "Surveyed",
    "UnwritableError",
    "chunks",
    "clam_patches",
    "content_digest",
    "foreign_tensor",
    "glance_foreign",
    "pixel_key",
    "read_foreign",
    "survey",
    "tidy",
    "unwritable",
    "width_of",
    "write_rows_in_blocks",
]
