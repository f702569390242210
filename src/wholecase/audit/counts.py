"""How much of what a cohort holds."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wholecase.audit.look import Look
from wholecase.cohort import MICROSCOPIC, Case, Cohort, Image
from wholecase.core.units import MOST_SPACING_UM, spacing_of_power

Pair = tuple[Case, Image]
POWERS = (1.25, 2.5, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0)
"""Objectives that microscopes have."""
NEAR = 1.2
"""Scanners of one objective differ by their cameras: 20x is 0.44 to 0.55 µm/px."""


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
    """µm/px at full resolution, to four digits, to two where it is no microscope's; None where
    nothing tells it."""
    rung: str
    """`manifest` or the place in the file; empty where nothing tells it."""
    images: int


@dataclass(frozen=True)
class SliceCount:
    """Series of as many slices at one distance."""

    slices: int
    step_um: float | None
    """From a slice to the next, to two digits; None where nothing tells it."""
    series: int


@dataclass(frozen=True)
class PowerCount:
    """Images of one magnification, as the manifest says it or the spacing amounts to."""

    power: float | None
    """Objective power, such as 20; None where nothing tells it."""
    is_given: bool
    """Whether the manifest's column `magnification` says it."""
    cases: int
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
    sights = [look.sight for look in looks if look.sight.trouble is None]
    found = Counter(
        (None, "") if sight.spacing_um is None else (_rounded(sight.spacing_um), sight.rung)
        for sight in sights
    )
    rows = [SpacingCount(um, rung, images) for (um, rung), images in found.items()]
    return tuple(sorted(rows, key=lambda row: (row.um is None, row.um or 0.0, row.rung)))


def count_slices(series: Iterable[Look]) -> tuple[SliceCount, ...]:
    """Series by their number of slices and the distance between them."""
    found = Counter(
        (look.sight.slices, None if (um := look.sight.step_um) is None else float(f"{um:.2g}"))
        for look in series
    )
    rows = [SliceCount(*key, series) for key, series in found.items()]
    return tuple(sorted(rows, key=lambda row: (row.slices, row.step_um or 0.0)))


def count_powers(looks: Iterable[Look]) -> tuple[PowerCount, ...]:
    """Images that opened, by magnification; the weakest first, the unknown last."""
    groups: dict[tuple[float | None, bool], list[Look]] = {}
    for look in looks:
        if look.sight.trouble is None:
            key = power_of(look), look.image.magnification is not None
            groups.setdefault(key, []).append(look)
    rows = [
        PowerCount(power, is_given, len({look.case.id for look in group}), len(group))
        for (power, is_given), group in groups.items()
    ]
    return tuple(
        sorted(rows, key=lambda row: (row.power is None, row.power or 0.0, not row.is_given))
    )


def power_of(look: Look) -> float | None:
    """The magnification of an image: the manifest's, else that of a slide or tile's spacing."""
    return power_told(look.image, look.sight.spacing_um)


def power_told(image: Image, spacing_um: float | None) -> float | None:
    """The same where the spacing is known from elsewhere."""
    if image.magnification is not None:
        return image.magnification
    if spacing_um is None or image.kind not in MICROSCOPIC:
        return None
    power = spacing_of_power(spacing_um)  # its own inverse
    usual = min(POWERS, key=lambda known: abs(math.log(known / power)))
    return usual if abs(math.log(usual / power)) < math.log(NEAR) else float(f"{power:.2g}")


def _rounded(um: float) -> float:
    # every scan has a field of view of its own: where pixels are no microscope's, two digits tell
    return float(f"{um:.2g}" if um > MOST_SPACING_UM else f"{um:.4g}")


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
