"""Bags on disk: one file per image, never mixed; and the feature files of other tools."""

from wholecase.core.lock import Lock
from wholecase.features.bag import Bag
from wholecase.features.beside import BESIDE, GEOJSON, PICTURE
from wholecase.features.foreign import (
    SUFFIXES,
    VERSION,
    ForeignFeatures,
    glance_foreign,
    read_foreign,
)
from wholecase.features.layouts import clam_patches
from wholecase.features.numbers import Numbers
from wholecase.features.origin import (
    FeatureOrigin,
    Named,
    common_origin,
    doubt,
    mixture,
    refuse_other_origin,
)
from wholecase.features.packs import PackIndex
from wholecase.features.pixels import Imposed, PixelStore, chunks, content_digest, pixel_key
from wholecase.features.row_writer import RowWriter
from wholecase.features.rows import Rows, write_rows_in_blocks
from wholecase.features.store import Store, UnwritableError, unwritable
from wholecase.features.survey import Flaw, Surveyed, survey
from wholecase.features.tidy import tidy

__all__ = [
    "BESIDE",
    "GEOJSON",
    "PICTURE",
    "SUFFIXES",
    "VERSION",
    "Bag",
    "FeatureOrigin",
    "Flaw",
    "ForeignFeatures",
    "Imposed",
    "Lock",
    "Named",
    "Numbers",
    "PackIndex",
    "PixelStore",
    "RowWriter",
    "Rows",
    "Store",
    "Surveyed",
    "UnwritableError",
    "chunks",
    "clam_patches",
    "common_origin",
    "content_digest",
    "doubt",
    "glance_foreign",
    "mixture",
    "pixel_key",
    "read_foreign",
    "refuse_other_origin",
    "survey",
    "tidy",
    "unwritable",
    "write_rows_in_blocks",
]
