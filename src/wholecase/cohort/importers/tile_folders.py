"""Folders of ready tiles, `<label>/<patient>/*`, with further folders for copies and tests."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.identity import by_likeness, likeness_key
from wholecase.cohort.importers.draft import Draft, DraftRow
from wholecase.cohort.importers.files import folders_in, images_below, images_in
from wholecase.core.errors import ManifestError

AUGMENTED = "_aug"
"""End of a folder of augmented copies: they train with their patient, and never test."""
FURTHER = "_cnn"
"""End of a folder of further tiles of the same patients."""
TESTED = "C-S-"
"""Start of a folder whose patients are for testing."""


@dataclass(frozen=True)
class _Group:
    """What the name of a label folder says."""

    base: str  # without ends
    label: str
    augmented: bool
    tested: bool


def tile_folders(root: Path, *, ids_by_folder: bool = False) -> Draft:
    """A case per patient folder, with all tiles below it.

    `mutated_aug/p1` holds copies and `mutated_cnn/p1` further tiles of patient p1 of `mutated`.
    Where a folder such as `C-S-mutated` is there, its patients are the test side, all others train.

    Args:
        root: the folder of the label folders.
        ids_by_folder: the same name below two label folders is two patients, as where each
            folder counts its patients from 1; their ids then begin with the label folder's name.

    Raises:
        ManifestError: there are no tiles, or a patient has two labels or two sides.
    """
    found = [(_group(folder.name), folder) for folder in folders_in(root)]
    any_tested = any(group.tested for group, _ in found)
    rows = [
        row
        for group, folder in found
        for row in _rows(group, folder, prefixed=ids_by_folder, any_tested=any_tested)
    ]
    if not rows:
        raise ManifestError(
            f"{root}: no tiles in folders <label>/<patient>; is it class-folders (<label>/*.png)?"
        )
    _refuse_two(rows, root)
    return Draft(tuple(sorted(rows, key=_order)), tuple(_without_patient(found)))


def _group(name: str) -> _Group:
    """What a label folder's name says.

    >>> _group("C-S-EGFR_positive_aug")
    _Group(base='C-S-EGFR_positive', label='EGFR_positive', augmented=True, tested=True)
    """
    base, augmented = name, False
    while base.endswith((AUGMENTED, FURTHER)):
        augmented = augmented or base.endswith(AUGMENTED)
        base = base.removesuffix(AUGMENTED).removesuffix(FURTHER)
    return _Group(base, base.removeprefix(TESTED), augmented, base.startswith(TESTED))


def _rows(group: _Group, folder: Path, *, prefixed: bool, any_tested: bool) -> Iterator[DraftRow]:
    side = ("test" if group.tested else "train") if any_tested else None
    for patient in folders_in(folder):
        name = f"{group.base}-{patient.name}" if prefixed else patient.name
        for path in images_below(patient):
            yield DraftRow(
                case_id=name,
                patient_id=name,
                path=path,
                kind="tile",
                label=group.label,
                split=side,
                train_only=group.augmented,
            )


def _refuse_two(rows: Sequence[DraftRow], root: Path) -> None:
    for name, what in (("label", "labels"), ("split", "sides")):
        said: Mapping[str, set[str]] = defaultdict(set)
        spelt: Mapping[str, str] = by_likeness(row.patient_id for row in rows)
        for row in rows:
            said[likeness_key(row.patient_id)].add(getattr(row, name) or "")
        for key, values in said.items():
            if len(values) > 1:
                raise ManifestError(
                    f"{root}: patient {spelt[key]!r} has two {what}, "
                    f"{' and '.join(sorted(values))}; "
                    "take one folder away, or use --ids-by-folder if the folders count their "
                    "patients anew"
                )


def _order(row: DraftRow) -> tuple[str, str, bool, str]:
    return row.label or "", row.patient_id, row.train_only, row.path.as_posix()


def _without_patient(found: Sequence[tuple[_Group, Path]]) -> Iterator[str]:
    for _, folder in found:
        if loose := len(images_in(folder)):
            yield f"{folder}: {loose} images lie in no patient's folder"
