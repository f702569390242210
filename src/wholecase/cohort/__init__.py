"""Who, with which label, on which side."""

from wholecase.cohort.adhoc import SLIDE_SUFFIXES, cohort_of_images
from wholecase.cohort.anonymous import anonymity_note
from wholecase.cohort.cases import (
    KINDS,
    UNKNOWN,
    Case,
    Cohort,
    Covariate,
    Image,
    Target,
    by_image,
)
from wholecase.cohort.cells import MICROSCOPIC
from wholecase.cohort.clinical import covariate_remarks
from wholecase.cohort.columns import columns_of
from wholecase.cohort.identical import refuse_identical, twin_digests
from wholecase.cohort.identity import alike, by_likeness, identity_key, likeness_key
from wholecase.cohort.labels import Labels, require_classes
from wholecase.cohort.manifest import (
    Reading,
    read_cohort,
    read_leniently,
    read_to_ask,
    refuse_no_manifest,
)
from wholecase.cohort.protocols import given, holdout, inner_folds, nested
from wholecase.cohort.remarks import Remark
from wholecase.cohort.split import SIDES, Fold, Split, some
from wholecase.cohort.splits_file import read_sides, read_splits, split_digest, write_splits

__all__ = [
    "KINDS",
    "MICROSCOPIC",
    "SIDES",
    "SLIDE_SUFFIXES",
    "UNKNOWN",
    "Case",
    "Cohort",
    "Covariate",
    "Fold",
    "Image",
    "Labels",
    "Reading",
    "Remark",
    "Split",
    "Target",
    "alike",
    "anonymity_note",
    "by_image",
    "by_likeness",
    "cohort_of_images",
    "columns_of",
    "covariate_remarks",
    "given",
    "holdout",
    "identity_key",
    "inner_folds",
    "likeness_key",
    "nested",
    "read_cohort",
    "read_leniently",
    "read_sides",
    "read_splits",
    "read_to_ask",
    "refuse_identical",
    "refuse_no_manifest",
    "require_classes",
    "some",
    "split_digest",
    "twin_digests",
    "write_splits",
]
