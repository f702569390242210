"""Folders of images by class, `<label>/*`, with the patient in the file name or nowhere."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from wholecase.cohort.identity import identity_key
from wholecase.cohort.importers.draft import Draft, DraftRow
from wholecase.cohort.importers.files import folders_in, images_in
from wholecase.cohort.importers.naming import patients_from
from wholecase.core.errors import ManifestError


def class_folders(
    root: Path,
    *,
    patient_from: str | None = None,
    case: Literal["patient", "image"] = "patient",
    kind: str = "tile",
) -> Draft:
    """A row per image, labelled by its folder.

    Args:
        root: the folder of the label folders.
        patient_from: a regular expression that finds the patient in `label/file.png`: its first
            group, or all of it. Without one every image is a patient of its own.
        case: whether the images of a patient are one case, or each image is one. A patient with
            images under two labels has a case for each.
        kind: of all images, for the manifest.

    Raises:
        ManifestError: there are no images, or the expression is wrong or does not fit a file.
    """
    images = [path for folder in folders_in(root) for path in images_in(folder)]
    if not images:
        raise ManifestError(
            f"{root}: no images in folders <label>; is it tile-folders (<label>/<patient>/*)?"
        )
    names = dict(zip(images, _names(images), strict=True))
    patients = names if patient_from is None else patients_from(images, root, patient_from)
    labels: dict[str, set[str]] = defaultdict(set)
    for path in images:
        labels[identity_key(patients[path])].add(path.parent.name)

    def case_of(path: Path) -> str:
        if case == "image":
            return names[path]
        patient = patients[path]
        return (
            patient if len(labels[identity_key(patient)]) == 1 else f"{patient}/{path.parent.name}"
        )

    rows = (
        DraftRow(case_of(path), patients[path], path, kind, label=path.parent.name)
        for path in images
    )
    return Draft(tuple(rows), tuple(_deeper(root)))


def _names(images: Sequence[Path]) -> list[str]:
    """The shortest names that tell the images apart: the stem, with the label, with the ending."""
    stems = [path.stem for path in images]
    labelled = [f"{path.parent.name}/{path.stem}" for path in images]
    for names in (stems, labelled):
        if len({identity_key(name).casefold() for name in names}) == len(names):
            return names
    return [f"{path.parent.name}/{path.name}" for path in images]


def _deeper(root: Path) -> Iterator[str]:
    for folder in folders_in(root):
        if inner := folders_in(folder):
            yield f"{folder}: {len(inner)} folders within it were not looked into"
