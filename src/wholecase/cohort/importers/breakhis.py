"""BreakHis as published, or any part of it: the file name says all (Spanhol 2016)."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.cohort.importers.archives import ARCHIVES, unpacked_images
from wholecase.cohort.importers.draft import Draft, DraftRow
from wholecase.cohort.importers.files import images_below, require_folder
from wholecase.cohort.split import some
from wholecase.core.digest import file_digest
from wholecase.core.errors import ManifestError

LABELS = {"B": "benign", "M": "malignant"}
TYPES = {
    "A": "adenosis",
    "F": "fibroadenoma",
    "PT": "phyllodes_tumor",
    "TA": "tubular_adenoma",
    "DC": "ductal_carcinoma",
    "LC": "lobular_carcinoma",
    "MC": "mucinous_carcinoma",
    "PC": "papillary_carcinoma",
}
NAME = re.compile(
    rf"[A-Z]+_(?P<label>[BM])_(?P<type>{'|'.join(TYPES)})"
    r"-(?P<year>\d+)-(?P<slide>\d+)(?P<letters>[A-Za-z]*)-(?P<power>\d+)X?-\d+"
)
"""Such as `SOB_M_DC-14-2523-400-012`: class, type, year, slide, magnification, number."""


@dataclass(frozen=True)
class _Picture:
    """What a file name says."""

    path: Path
    label: str
    type: str
    slide: str
    """As written, such as `14-22549AB`."""
    patient: str
    """Without the letters, where these count as parts of one patient."""
    power: str


def breakhis(root: Path, *, letters: bool = False) -> Draft:
    """A row per image, a case per patient; folders mean nothing, since the file name says all.

    Slides that differ in their letters alone are one patient. A patient with several tumour types
    has none in the manifest, and one with both classes a case for each. What shows the same under
    two types is taken once. The magnification is the number in the name: what a pixel measures,
    nothing tells.

    Args:
        root: a folder with the images, at any depth, or an archive of it, which is unpacked beside
            itself.
        letters: slides that differ in their letters are different patients.

    Raises:
        ManifestError: there are no such images, or the archive is damaged.
    """
    if root.name.lower().endswith(ARCHIVES):
        root = unpacked_images(root, NAME)
    require_folder(root)
    paths = list(images_below(root))
    pictures = [picture for path in paths if (picture := _picture(path, letters=letters))]
    if not pictures:
        raise ManifestError(
            f"{root}: no images called like SOB_M_DC-14-2523-400-012.png found below it"
        )
    kept, twins = _without_copies(pictures)
    of_patient = _by_patient(kept)
    rows = [_row(p, of_patient[p.patient]) for p in sorted(kept, key=lambda p: p.path.name)]
    strangers = [path.name for path in paths if not NAME.fullmatch(path.stem)]
    return Draft(
        tuple(sorted(rows, key=lambda row: (row.label or "", row.case_id))),
        tuple(_left_out(strangers, twins)),
        tuple(_notes(of_patient)),
    )


def _picture(path: Path, *, letters: bool) -> _Picture | None:
    found = NAME.fullmatch(path.stem)
    if found is None:
        return None
    number = f"{found['year']}-{found['slide']}"
    slide = number + found["letters"].upper()
    patient = slide if letters else number
    return _Picture(
        path, LABELS[found["label"]], TYPES[found["type"]], slide, patient, found["power"]
    )


def _without_copies(pictures: Sequence[_Picture]) -> tuple[list[_Picture], list[_Picture]]:
    """The pictures, each once, and those that are there already, under another type or folder."""
    of_patient = _by_patient(pictures)
    names: Mapping[str, int] = _times(p.path.name for p in pictures)
    kept, twins, seen = [], [], set()
    for picture in pictures:
        doubtful = len({p.type for p in of_patient[picture.patient]}) > 1
        if doubtful or names[picture.path.name] > 1:
            key = picture.patient, picture.power, file_digest(picture.path)
            if key in seen:
                twins.append(picture)
                continue
            seen.add(key)
        kept.append(picture)
    return kept, twins


def _times(names: Iterable[str]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for name in names:
        counts[name] += 1
    return counts


def _by_patient(pictures: Iterable[_Picture]) -> dict[str, list[_Picture]]:
    groups: dict[str, list[_Picture]] = defaultdict(list)
    for picture in pictures:
        groups[picture.patient].append(picture)
    return groups


def _row(picture: _Picture, same_patient: Sequence[_Picture]) -> DraftRow:
    """The tumour type of a case is told where all images of its patient and class agree."""
    classes = {other.label for other in same_patient}
    types = {other.type for other in same_patient if other.label == picture.label}
    patient = picture.patient
    return DraftRow(
        case_id=patient if len(classes) == 1 else f"{patient}/{picture.label}",
        patient_id=patient,
        path=picture.path,
        kind="still",
        label=picture.label,
        magnification=picture.power,
        tumor_type=picture.type if len(types) == 1 else None,
    )


def _left_out(strangers: Sequence[str], twins: Sequence[_Picture]) -> Iterator[str]:
    if strangers:
        yield f"{len(strangers)} images that are not called as in BreakHis: {some(strangers)}"
    if twins:
        names = [picture.path.name for picture in twins]
        yield f"{len(twins)} images that are there already under another name: {some(names)}"


def _notes(of_patient: Mapping[str, Sequence[_Picture]]) -> Iterator[str]:
    for patient, pictures in sorted(of_patient.items()):
        slides = sorted({picture.slide for picture in pictures})
        if len(slides) > 1:
            yield f"patient {patient} is one with the slides {', '.join(slides)}"
        types = sorted({picture.type for picture in pictures})
        if len(types) > 1:
            yield (
                f"patient {patient} has the types {' and '.join(types)}: one patient, kept on one "
                "side, whose tumour type is taken as unknown"
            )
