"""How a run ended, in figures for whoever started it."""

from dataclasses import dataclass, field
from typing import Any

from wholecase.cohort import Cohort
from wholecase.core.files import read_json
from wholecase.experiment.magnifications import magnification_lines
from wholecase.extract import KILLED
from wholecase.runs import RunFolder, read_rows


@dataclass(frozen=True)
class Summary:
    """How a run ended."""

    run: RunFolder
    metrics: dict[str, Any]
    cases_in: int
    cases_out: int
    images_in: int
    failures: tuple[tuple[str, str], ...]
    """(path, reason) of each image that failed."""
    too_many_failed: bool
    killed: int
    """Images whose worker was killed twice: such a run is not whole."""
    seconds: dict[str, float] = field(default_factory=dict)
    extraction: tuple[str, ...] = ()
    """How extraction went, in lines for people."""
    magnifications: tuple[str, ...] = ()
    """Images by magnification, in lines for people."""
    folds: str = ""
    """How many folds were learnt, chosen anew or reused."""
    epochs: str = ""
    """How long those took that were learnt."""
    judged: int = 0
    """Cases of outer test sides."""
    unlike: tuple[str, ...] = ()
    """Judged cases that are unlike those that their model learnt from."""


def summary_of(folder: RunFolder, cohort: Cohort, tolerated: float) -> Summary:
    """The summary of a finished run, from its files; nothing is computed and nothing written.

    Args:
        folder: of the run.
        cohort: that it was made of.
        tolerated: share of images that may fail.
    """
    rows = read_rows(folder.exclusions)
    failed = [row for row in rows if row["stage"] != "label"]
    images = sum(len(case.images) for case in cohort.cases)
    return Summary(
        run=folder,
        metrics=read_json(folder.metrics),
        cases_in=len(cohort.cases),
        cases_out=len({row["case_id"] for row in failed if row["costs"] == "case"}),
        images_in=images,
        failures=tuple((row["path"], row["reason"]) for row in failed),
        too_many_failed=len(failed) > tolerated * images,
        killed=sum(row["stage"] == KILLED for row in failed),
        magnifications=tuple(magnification_lines(folder)),
        folds=f"{len(folder.fold_numbers)} reused",
        judged=len(read_rows(folder.predictions)),
        unlike=tuple(row["case_id"] for row in read_rows(folder.novelty) if row["unlike"] == "1"),
    )
