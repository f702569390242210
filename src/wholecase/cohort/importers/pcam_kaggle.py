"""PatchCamelyon in Kaggle's form: a picture per patch, labels in CSV, no slides."""

import os
from collections.abc import Iterator
from pathlib import Path

from wholecase.cohort.cases import UNKNOWN
from wholecase.cohort.importers.files import require_folder
from wholecase.cohort.importers.long_draft import Line, LongDraft
from wholecase.cohort.importers.pcam import LABELS, SPACING_UM
from wholecase.cohort.split import some
from wholecase.cohort.table import read_table
from wholecase.core.errors import ManifestError

TABLE = "train_labels.csv"
COLUMNS = ("case_id", "patient_id", "path", "kind", "label", "mpp")


def pcam_kaggle(root: Path) -> LongDraft:
    """A row per labelled patch, `train/<id>.tif`; every patient is `unknown`.

    Args:
        root: the folder with `train` and `train_labels.csv`; patches in `test` have no labels and
            are counted alone.

    Raises:
        ManifestError: folder or table are missing, or the table is wrong.
    """
    require_folder(root)
    require_folder(root / "train")
    labels = _labels(root / TABLE)
    files = _patches(root / "train")
    found = [name for name in labels if name in files]
    if not found:
        raise ManifestError(f"{root / TABLE}: no id fits a file train/<id>.tif; check the folder")

    def lines(way: str) -> Iterator[Line]:
        for name in found:
            path = f"{way}train/{name}.tif"
            yield name, UNKNOWN, path, "tile", LABELS[labels[name]], f"{SPACING_UM}"

    return LongDraft(root, COLUMNS, lines, tuple(_told(root, labels, files)))


def _labels(path: Path) -> dict[str, int]:
    labels: dict[str, int] = {}
    for row in read_table(path, ("id", "label")):
        name = row.required("id")
        if name in labels:
            raise row.error("id", f"{name!r} is there already; take one row out")
        labels[name] = int(row.choice("label", ("0", "1")))
    return labels


def _patches(folder: Path) -> set[str]:
    with os.scandir(folder) as entries:
        names = (entry.name for entry in entries)
        return {name[:-4] for name in names if name.endswith(".tif") and name[0] != "."}


def _told(root: Path, labels: dict[str, int], files: set[str]) -> Iterator[str]:
    if lost := [name for name in labels if name not in files]:
        yield f"{len(lost)} rows of {root / TABLE} without a file in train: {some(lost)}"
    if loose := sorted(files - labels.keys()):
        yield f"{len(loose)} files in {root / 'train'} without a label: {some(loose)}"
    if (root / "test").is_dir() and (unlabelled := len(_patches(root / "test"))):
        yield f"{unlabelled} patches in {root / 'test'} have no labels"
