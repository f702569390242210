"""The known cases that answers rest on: kept in the run, and told in words."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from wholecase.answer import SHOWN_NEIGHBOURS, Judgement, additions_of, names_by_code
from wholecase.cohort import some
from wholecase.runs import RunFolder, read_rows, write_rows

COLUMNS = ("case_id", "patient_id", "fold", "rank", "neighbour", "label", "distance")
FORGOTTEN = "(no case of the run)"


def write_neighbours(path: Path, judgements: Sequence[Judgement], known: Sequence[str]) -> None:
    """A row for each case that voted on another, nearest first; no file where none did.

    Args:
        path: of the CSV file.
        judgements: of fold models.
        known: ids of all cases of the run.
    """
    if not any(one.neighbours for one in judgements):
        path.unlink(missing_ok=True)
        return
    names = names_by_code(known)
    rows = [
        {
            "case_id": one.case.id,
            "patient_id": one.case.patient,
            "fold": one.judge,
            "rank": rank,
            "neighbour": names.get(neighbour.code, FORGOTTEN),
            "label": neighbour.label,
            "distance": f"{neighbour.distance:.6f}",
        }
        for one in judgements
        for rank, neighbour in enumerate(one.neighbours, 1)
    ]
    write_rows(path, COLUMNS, rows)


def neighbour_notes(judgements: Sequence[Judgement]) -> list[str]:
    """A sentence on the cases that had fewer neighbours than others of their fold, if any had."""
    most: dict[int | str, int] = defaultdict(int)
    for one in judgements:
        most[one.judge] = max(most[one.judge], len(one.neighbours))
    fewer = [one.case.id for one in judgements if len(one.neighbours) < most[one.judge]]
    if not fewer:
        return []
    return [
        f"{len(fewer)} cases were decided by fewer neighbours than asked for, since a patient's "
        f"own cases do not count: {some(fewer)}"
    ]


def known_cases(folder: RunFolder) -> list[str]:
    """Ids of the cases of a run, and of those that were added to its memory."""
    added = [one["case_id"] for addition in additions_of(folder) for one in addition["cases"]]
    return [*(row["case_id"] for row in read_rows(folder.cases)), *added]


def nearest_lines(root: Path, judgement: Judgement) -> Iterator[str]:
    """The nearest known cases of a new one, those that most fold models name first."""
    if not judgement.neighbours:
        return
    names = names_by_code(known_cases(RunFolder(root)))
    models = len(judgement.others)
    for neighbour in judgement.neighbours[:SHOWN_NEIGHBOURS]:
        name = names.get(neighbour.code, FORGOTTEN)
        by = f", named by {neighbour.judges} of {models} fold models" if models else ""
        yield f"  near {name}: {neighbour.label}, distance {neighbour.distance:.3f}{by}"


def stored_nearest_lines(root: Path, case: str) -> Iterator[str]:
    """The same of a case of the run, by the model that judged it; nothing of one without."""
    folder = RunFolder(root)
    rows = _of_case(folder.neighbours, case)
    for row in rows[:SHOWN_NEIGHBOURS]:
        yield f"  near {row['neighbour']}: {row['label']}, distance {float(row['distance']):.3f}"
    if rows and any(row["unlike"] == "1" for row in _of_case(folder.novelty, case)):
        yield "  the case is unlike all that its model learnt from; trust no answer about it"


def _of_case(path: Path, case: str) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    return [row for row in read_rows(path) if row["case_id"] == case]
