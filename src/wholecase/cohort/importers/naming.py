"""Whose an image is, where its name says so."""

import re
from collections.abc import Sequence
from pathlib import Path

from wholecase.core.errors import ManifestError


def patients_from(images: Sequence[Path], root: Path, expression: str) -> dict[Path, str]:
    """The patient of each image: what a regular expression finds in its path below the root.

    The expression's first group, or all of it where it has none; folders are parted by slashes.

    Raises:
        ManifestError: the expression is wrong, or does not fit an image.
    """
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise ManifestError(f"--patient-from {expression!r} is no expression: {error}") from error
    patients = {}
    for path in images:
        text = path.relative_to(root).as_posix()
        found = pattern.search(text)
        patient = found and (found.group(1) if pattern.groups else found.group())
        if not patient:
            raise ManifestError(
                f"{path}: --patient-from {expression!r} finds no patient in {text!r}; widen it"
            )
        patients[path] = patient
    return patients
