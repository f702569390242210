"""Cases that were added to the memory of a run's models after it was evaluated.

They vote where new cases are asked about. No figure of the run rests on them.
"""

from collections.abc import Sequence
from typing import Any

from wholecase.answer.members import FoldModel
from wholecase.core.digest import file_digest
from wholecase.core.errors import RunError
from wholecase.core.files import read_json
from wholecase.models import load_tensors
from wholecase.runs import RunFolder


def additions_of(folder: RunFolder) -> list[dict[str, Any]]:
    """What was added, in order; each as `gallery.json` tells it."""
    if not folder.gallery.is_file():
        return []
    additions: list[dict[str, Any]] = read_json(folder.gallery)["additions"]
    return additions


def with_gallery(folder: RunFolder, members: Sequence[FoldModel]) -> None:
    """Let the models remember what was added to each of them.

    Raises:
        RunError: what was added is damaged, or was meant for other models.
    """
    for addition in additions_of(folder):
        path = folder.root / addition["file"]
        if not path.is_file() or file_digest(path) != addition["digest"]:
            raise RunError(f"{path} is missing or damaged; {_cure(folder)}")
        tensors, _ = load_tensors(path)
        for member in members:
            known = addition["models"].get(str(member.fold))
            if file_digest(folder.fold(member.fold).model) != known:
                raise RunError(
                    f"{member.name} was learnt anew since {path} was added; {_cure(folder)}"
                )
            own = f"{member.fold}/"
            kept = {n.removeprefix(own): t for n, t in tensors.items() if n.startswith(own)}
            member.model.head.add(kept)


def gallery_notes(folder: RunFolder) -> list[str]:
    """A sentence for each addition."""
    return [
        f"{len(one['cases'])} cases of {one['cohort']} (digest {one['cohort_digest']}) were added "
        "to the memory after the run was evaluated; they vote on new cases, and stand behind no "
        "figure of the run."
        for one in additions_of(folder)
    ]


def _cure(folder: RunFolder) -> str:
    return f"take it back with `wholecase gallery undo {folder.root}`, and add the cases again"
