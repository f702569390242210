"""What is wrong with the manifest itself, and what is odd about it, as findings."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wholecase.audit.findings import Finding
from wholecase.cohort import Remark
from wholecase.core.errors import ManifestError


def mistake_findings(path: Path, mistakes: Sequence[ManifestError]) -> Iterator[Finding]:
    """One error per kind of mistake; the rows are left out of everything else."""
    for mistake in mistakes:
        where, _, what = str(mistake).removeprefix(f"{path}, ").partition(": ")
        yield Finding("error", where, what, "run", "mistake in the manifest")


def remark_findings(remarks: Sequence[Remark]) -> Iterator[Finding]:
    """One warning per remark."""
    for remark in remarks:
        yield Finding("warning", remark.where, remark.what, "nothing", remark.problem)
