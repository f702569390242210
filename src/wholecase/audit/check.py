"""A cohort is looked at before it costs a night."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from wholecase.audit.alike import Alike, alike_findings, alike_of
from wholecase.audit.confounds import confound_findings
from wholecase.audit.counts import (
    Count,
    PowerCount,
    SliceCount,
    SpacingCount,
    count,
    count_powers,
    count_slices,
    count_spacings,
)
from wholecase.audit.division import Divide, division_findings
from wholecase.audit.features import feature_findings
from wholecase.audit.findings import Finding
from wholecase.audit.images import Losses, faults_of, image_findings, losses_of
from wholecase.audit.look import Look, contents_of, looks_of
from wholecase.audit.mistakes import mistake_findings, remark_findings
from wholecase.audit.patients import patient_findings
from wholecase.audit.scales import Scales, count_scales
from wholecase.audit.sides import Folds, SideCount, count_sides, side_findings
from wholecase.audit.twins import twin_findings
from wholecase.cohort import Cohort, twin_digests
from wholecase.core.errors import ManifestError
from wholecase.core.progress import Advance


@dataclass(frozen=True)
class Audit:
    """What is in a cohort, and what is wrong with it."""

    path: Path
    counts: tuple[Count, ...]
    spacings: tuple[SpacingCount, ...]
    slices: tuple[SliceCount, ...]
    powers: tuple[PowerCount, ...]
    scales: Scales
    series: tuple[Look, ...]
    """Images of several slices that opened."""
    sides: tuple[SideCount, ...]
    """Of a splits file that was given."""
    alike: Alike
    losses: Losses
    findings: tuple[Finding, ...]
    """Errors first."""

    @property
    def failed(self) -> bool:
        """Whether there is an error."""
        return any(finding.severity == "error" for finding in self.findings)


def check_cohort(  # noqa: PLR0913 (all but the cohort by name)
    cohort: Cohort,
    *,
    asked_spacing_um: float | None = None,
    identity: str | None = None,
    divide: Divide | None = None,
    sides: Folds | None = None,
    mistakes: Sequence[ManifestError] = (),
    workers: int = 0,
    advance: Advance | None = None,
) -> Audit:
    """Open every image of a cohort and say what it holds and what is wrong.

    Args:
        cohort: cases under an ignored label are counted and not opened.
        asked_spacing_um: what the recipe will cut at, in µm/px; None where it needs no spacing,
            and then a slide without one is a warning instead of an error.
        identity: how the recipe names the encoder of feature files; their own names need not agree
            then.
        divide: how the recipe divides the cohort, to see whether it can.
        sides: of a splits file, with whatever is wrong with it; all of that is told.
        mistakes: those of the manifest, where it was read leniently.
        workers: processes that open images; with one at least, an image that takes its reader down
            costs itself alone.
        advance: called once per image.
    """
    looks = looks_of(cohort, workers, advance)
    digests = twin_digests(cohort) | contents_of(looks)
    faults = faults_of(looks, asked_spacing_um)
    alike = alike_of(looks, digests)
    series = tuple(look for look in looks if look.sight.slices > 1)
    findings = (
        *mistake_findings(cohort.path, mistakes),
        *remark_findings(cohort.remarks),
        *(side_findings(sides, cohort, digests, alike) if sides else ()),
        *division_findings(cohort, faults, divide),
        *image_findings(looks, faults, asked_spacing_um),
        *feature_findings(looks, identity),
        *twin_findings(cohort, digests),
        *alike_findings(alike),
        *patient_findings(cohort),
        *confound_findings(cohort, looks),
    )
    return Audit(
        path=cohort.path,
        counts=count(cohort),
        spacings=count_spacings(looks),
        slices=count_slices(series),
        powers=count_powers(looks),
        scales=count_scales(cohort, looks, divide),
        series=series,
        sides=count_sides(sides or {}),
        alike=alike,
        losses=losses_of(faults),
        findings=tuple(sorted(findings, key=lambda finding: finding.place[0])),
    )
