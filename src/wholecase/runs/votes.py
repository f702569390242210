"""A run that is a vote of other runs: who they are, and whether they are still the same."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wholecase.core.digest import digest, file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.runs.layout import RunFolder


@dataclass(frozen=True)
class VotingRun:
    """A run that votes in another one."""

    name: str
    folder: RunFolder


def run_digest(folder: RunFolder) -> str:
    """What a run answers by, in twenty digits: its models, choices and predictions.

    Of a vote its members' digests stand for their models.
    """
    folds = [folder.fold(number) for number in folder.fold_numbers]
    files = [path for fold in folds for path in (fold.model, fold.choices, fold.inner)]
    there = [path for path in (folder.predictions, *files) if path.is_file()]
    contents = {str(path.relative_to(folder.root)): file_digest(path) for path in there}
    return digest(files=contents, vote=folder.read_facts().get("vote"))


def voting_runs(folder: RunFolder, facts: dict[str, Any] | None = None) -> tuple[VotingRun, ...]:
    """The runs that vote in it, found from its own place; none where it is no vote.

    Raises:
        RunError: it is unfinished, or one of them is not where it was.
    """
    facts = folder.read_facts() if facts is None else facts
    told = (facts.get("vote") or {}).get("members") or ()
    found = []
    for one in told:
        root = Path(os.path.normpath(folder.root.resolve() / one["path"]))
        if not RunFolder(root).facts.is_file():
            raise RunError(
                f"{folder.root} asks {one['name']}, which is no longer at {root}; put it back, or "
                "vote again"
            )
        found.append(VotingRun(one["name"], RunFolder(root)))
    return tuple(found)


def voters(folder: RunFolder, number: int) -> dict[str, float]:
    """Who votes in a fold of a vote, by name, and how much each counts."""
    members = read_json(folder.fold(number).choices)["members"]
    return {one["name"]: float(one["weight"]) for one in members if one["weight"] > 0}


def refuse_changed(folder: RunFolder) -> None:
    """Pass if the runs that vote are those that the vote was made of.

    Raises:
        RunError: one was made anew since, so that admission and threshold are no longer of it.
    """
    facts = folder.read_facts()
    told = (facts.get("vote") or {}).get("members") or ()
    for one, run in zip(told, voting_runs(folder, facts), strict=True):
        if run_digest(run.folder) != one["digest"]:
            raise RunError(f"{run.folder.root} was changed since {folder.root}; vote again")
