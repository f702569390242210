"""A finished run that is asked for again is told as it is there: no model judges twice."""

from collections.abc import Mapping
from typing import Any

from wholecase.cohort import Cohort
from wholecase.core.digest import digest, file_digest
from wholecase.core.files import json_text, read_json, write_json
from wholecase.recipes import Recipe
from wholecase.runs import CLAIM, RunFolder
from wholecase.sources import fingerprint


def seal_key(
    recipe: Recipe, cohort: Cohort, facts: Mapping[str, Any], *, baselines: bool, final: bool
) -> str:
    """Everything that a run of these inputs rests on, in twenty digits.

    Args:
        recipe: all of it, also what is only evaluated and shown.
        cohort: whose masks are no part of its features, and are what is judged by.
        facts: as they are to stand in `run.json`: cohort, splits, contents, versions, machine.
        baselines: whether plain models are judged, too.
        final: whether one model learns from all cases.
    """
    masks = {image.mask for case in cohort.cases for image in case.images if image.mask}
    return digest(
        recipe=recipe.model_dump(mode="json"),
        facts=json_text(facts),
        masks=sorted(fingerprint(path) for path in masks if path.exists()),
        asked=[baselines, final],
    )


def seal(folder: RunFolder, key: str) -> None:
    """Say of a finished run under which key it was made, and which files it has."""
    write_json(folder.seal, {"key": key, "files": _files(folder)})


def is_sealed(folder: RunFolder, key: str) -> bool:
    """Whether it was finished under that key, and each of its files is as it was then."""
    if not folder.seal.is_file() or not folder.facts.is_file():
        return False
    return bool(read_json(folder.seal) == {"key": key, "files": _files(folder)})


def _files(folder: RunFolder) -> dict[str, str]:
    """Each file of the run and its digest, but for what differs between equal runs."""
    aside = {folder.times, folder.seal, folder.root / CLAIM}
    files = (path for path in folder.root.rglob("*") if path.is_file() and path not in aside)
    named = {path.relative_to(folder.root).as_posix(): file_digest(path) for path in files}
    return {name: of for name, of in sorted(named.items()) if not name.endswith("/times.json")}
