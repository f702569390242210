"""Manifests written from folders as people have them."""

from wholecase.cohort.importers.breakhis import breakhis
from wholecase.cohort.importers.class_folders import class_folders
from wholecase.cohort.importers.draft import Draft, DraftRow, write_manifest
from wholecase.cohort.importers.long_draft import LongDraft, write_long_manifest
from wholecase.cohort.importers.pcam import pcam
from wholecase.cohort.importers.pcam_kaggle import pcam_kaggle
from wholecase.cohort.importers.slide_folder import slide_folder
from wholecase.cohort.importers.tile_folders import tile_folders

__all__ = [
    "Draft",
    "DraftRow",
    "LongDraft",
    "breakhis",
    "class_folders",
    "pcam",
    "pcam_kaggle",
    "slide_folder",
    "tile_folders",
    "write_long_manifest",
    "write_manifest",
]
