"""Mistakes in the manifest as findings: a run would stop at the first, a check tells all."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from wholecase.audit.findings import Finding
from wholecase.core.errors import ManifestError


def mistake_findings(path: Path, mistakes: Sequence[ManifestError]) -> Iterator[Finding]:
    """One error per mistake; their rows are left out of everything else."""
    for mistake in mistakes:
        where, _, what = str(mistake).removeprefix(f"{path}, ").partition(": ")
        yield Finding("error", where, what, "run", "mistake in the manifest")
