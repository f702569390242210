"""How much of what a cohort holds."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wholecase.audit.look import Look
from wholecase.cohort import Case, Cohort, Image

Pair = tuple[Case, Image]


@dataclass(frozen=True)
class Count:
    """Cases, patients and images that share a value."""

    what: str
    """`label`, `kind`, `site`, `ignored label`, or `all`."""
    value: str
    cases: int
    patients: int
    images: int


@dataclass(frozen=True)
class SpacingCount:
    """Images of one spacing, found in one place."""

    um: float | None
    """µm/px at full resolution, to four digits; None where nothing tells it."""
    rung: str
    """`manifest` or the place in the file; empty where nothing tells it."""
    images: int


def count(cohort: Cohort) -> tuple[Count, ...]:
    """All, then by label, kind and site, then the ignored labels; each in order of its values."""
    pairs = _pairs(cohort.cases)
    return (
        *_by("all", ("" for _ in pairs), pairs),
        *_by("label", (_label(cohort, case) for case, _ in pairs), pairs),
        *_by("kind", (image.kind for _, image in pairs), pairs),
        *_by("site", (case.site or "(none)" for case, _ in pairs), pairs),
        *_by("ignored label", *_ignored(cohort)),
    )


def count_spacings(looks: Iterable[Look]) -> tuple[SpacingCount, ...]:
    """Images that opened, by spacing; the finest first, the unknown last."""
    found = Counter(
        (None, "") if look.spacing_um is None else (float(f"{look.spacing_um:.4g}"), look.rung)
        for look in looks
        if look.trouble is None
    )
    rows = [SpacingCount(um, rung, images) for (um, rung), images in found.items()]
    return tuple(sorted(rows, key=lambda row: (row.um is None, row.um or 0.0, row.rung)))


def _pairs(cases: Iterable[Case]) -> list[Pair]:
    return [(case, image) for case in cases for image in case.images]


def _label(cohort: Cohort, case: Case) -> str:
    if case.target is not None:
        return cohort.classes[case.target]
    return case.label or "(none)"


def _ignored(cohort: Cohort) -> tuple[list[str], list[Pair]]:
    pairs = _pairs(cohort.ignored)
    return [case.label or "(none)" for case, _ in pairs], pairs


def _by(what: str, values: Iterable[str], pairs: Sequence[Pair]) -> list[Count]:
    groups: dict[str, list[Pair]] = {}
    for value, pair in zip(values, pairs, strict=True):
        groups.setdefault(value, []).append(pair)
    return [_count(what, name, groups[name]) for name in sorted(groups)]


def _count(what: str, value: str, pairs: Sequence[Pair]) -> Count:
    cases = {case.id for case, _ in pairs}
    patients = {case.patient for case, _ in pairs}
    return Count(what, value, len(cases), len(patients), len(pairs))
