"""A cohort is looked at before it costs a night."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from wholecase.audit.counts import Count, SpacingCount, count, count_spacings
from wholecase.audit.findings import Finding
from wholecase.audit.images import image_findings
from wholecase.audit.look import Look, look_at
from wholecase.audit.patients import patient_findings
from wholecase.audit.twins import twin_findings
from wholecase.cohort import Cohort, twin_digests
from wholecase.core.progress import Advance


@dataclass(frozen=True)
class Audit:
    """What is in a cohort, and what is wrong with it."""

    path: Path
    counts: tuple[Count, ...]
    spacings: tuple[SpacingCount, ...]
    findings: tuple[Finding, ...]
    """Errors first."""

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def check_cohort(
    cohort: Cohort, *, asked_spacing_um: float | None = None, advance: Advance | None = None
) -> Audit:
    """Open every image of a cohort and say what it holds and what is wrong.

    Args:
        cohort: cases under an ignored label are counted and not opened.
        asked_spacing_um: what the recipe will cut at, in µm/px; None where it needs no spacing,
            and then a slide without one is a warning instead of an error.
        advance: called once per image.
    """
    looks = []
    for look in _looks(cohort):
        looks.append(look)
        if advance is not None:
            advance()
    findings = (
        *image_findings(looks, asked_spacing_um),
        *twin_findings(cohort, twin_digests(cohort)),
        *patient_findings(cohort),
    )
    return Audit(
        path=cohort.path,
        counts=count(cohort),
        spacings=count_spacings(looks),
        findings=tuple(sorted(findings, key=lambda finding: finding.severity)),
    )


def _looks(cohort: Cohort) -> Iterator[Look]:
    return (look_at(case, image) for case in cohort.cases for image in case.images)
