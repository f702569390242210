"""Somebody's division into sides, looked at before any model is taught by it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from wholecase.audit.alike import Alike
from wholecase.audit.findings import Finding
from wholecase.cohort import SIDES, Case, Cohort, likeness_key, some
from wholecase.core.digest import BLANK

Folds = Mapping[int, Mapping[str, Sequence[Case]]]
"""Number -> side -> cases, whoever is on two of them."""
PROBLEM = "splits"
FAR = 0.2
"""From this difference on between a side's share of a label and the cohort's it is told."""
LEAST = 10
"""Patients of a side below which its shares are chance."""


@dataclass(frozen=True)
class SideCount:
    """One side of one fold."""

    fold: int
    side: str
    cases: int
    patients: int
    by_label: Mapping[str, int]
    """Patients."""


def count_sides(folds: Folds) -> tuple[SideCount, ...]:
    """How many are where, in the order of the folds."""
    return tuple(
        SideCount(
            fold,
            side,
            len(sides[side]),
            len({likeness_key(case.patient) for case in sides[side]}),
            _by_label(sides[side]),
        )
        for fold, sides in sorted(folds.items())
        for side in SIDES
    )


def side_findings(
    folds: Folds, cohort: Cohort, digests: Mapping[Path, str], alike: Alike
) -> Iterator[Finding]:
    """Patients and pictures on two sides, cases left out or tested twice, and uneven sides."""
    for fold, sides in sorted(folds.items()):
        yield from _empty(fold, sides)
        for one, other in combinations(SIDES, 2):
            yield from _shared(fold, (one, sides[one]), (other, sides[other]))
            yield from _copied(fold, (one, sides[one]), (other, sides[other]), digests)
            yield from _resembling(fold, (one, sides[one]), (other, sides[other]), alike)
        yield from _uneven(fold, sides, cohort)
    yield from _of_all(folds, cohort)


Side = tuple[str, Sequence[Case]]


def _empty(fold: int, sides: Mapping[str, Sequence[Case]]) -> Iterator[Finding]:
    for side in ("train", "test"):
        if not sides[side]:
            yield _error(fold, f"its {side} side is empty; add patients to it")


def _shared(fold: int, one: Side, other: Side) -> Iterator[Finding]:
    """Patients by whatever spelling of their ids."""
    known = {likeness_key(case.patient): case.patient for case in one[1]}
    both = {case.patient for case in other[1] if likeness_key(case.patient) in known}
    if both:
        whose = "patient is" if len(both) == 1 else "patients are"
        what = f"{len(both)} {whose} on {one[0]} and {other[0]}: {some(sorted(both))}"
        yield _error(fold, f"{what}; keep all cases of a patient on one side")


def _copied(fold: int, one: Side, other: Side, digests: Mapping[Path, str]) -> Iterator[Finding]:
    first: dict[str, Case] = {}
    for case in one[1]:
        for image in case.images:
            first.setdefault(digests.get(image.path, ""), case)
    found = [
        (first[content], case)
        for case in other[1]
        for image in case.images
        if (content := digests.get(image.path, "")) in first
        and content
        and not content.startswith(BLANK)
    ]
    yield from _pairs(fold, (one[0], other[0]), found, "the same file or pixels")


def _resembling(fold: int, one: Side, other: Side, alike: Alike) -> Iterator[Finding]:
    """Recompressed, resized or turned copies."""
    mine, theirs = ({case.id for case in side[1]} for side in (one, other))
    found = [
        (a.case, b.case)
        for group in (*alike.across, *alike.within)
        for a in group
        for b in group
        if a.case.id in mine and b.case.id in theirs and a.case.id != b.case.id
    ]
    yield from _pairs(fold, (one[0], other[0]), found, "pictures that look the same")


def _pairs(
    fold: int, sides: tuple[str, str], found: Sequence[tuple[Case, Case]], words: str
) -> Iterator[Finding]:
    named = dict.fromkeys(f"{a.id} and {b.id}" for a, b in found)
    if named:
        what = f"{words} on {sides[0]} and {sides[1]} in cases {some(named)}"
        yield _error(fold, f"{what}; give them one patient_id, or take one out")


def _uneven(fold: int, sides: Mapping[str, Sequence[Case]], cohort: Cohort) -> Iterator[Finding]:
    """Sides with other shares of a label than the cohort, or without one."""
    of_all = _by_label(cohort.cases)
    everybody = sum(of_all.values())
    for side in SIDES:
        counts = _by_label(sides[side])
        patients = sum(counts.values())
        missing = sorted(set(of_all) - set(counts)) if patients and len(of_all) > 1 else []
        if missing:
            what = f"its {side} side has no patient with {some(missing)}; no figure can tell of it"
            yield Finding("warning", f"fold {fold}", what, "nothing", "sides unlike the cohort")
        elif patients >= LEAST and everybody:
            off = [
                f"{label} {100 * counts[label] / patients:.0f} % against "
                f"{100 * of_all[label] / everybody:.0f} %"
                for label in sorted(of_all)
                if abs(counts[label] / patients - of_all[label] / everybody) >= FAR
            ]
            if off:
                what = f"its {side} side is unlike the cohort: {'; '.join(off)}; stratify by label"
                yield Finding("warning", f"fold {fold}", what, "nothing", "sides unlike the cohort")


def _of_all(folds: Folds, cohort: Cohort) -> Iterator[Finding]:
    tested = Counter(case.id for sides in folds.values() for case in sides["test"])
    if again := sorted(case for case, times in tested.items() if times > 1):
        what = f"{len(again)} cases are tested in several folds: {some(again)}; test each once"
        yield Finding("error", "all folds", what, "run", PROBLEM)
    listed = {case.id for sides in folds.values() for cases in sides.values() for case in cases}
    if left := [case.id for case in cohort.cases if case.testable and case.id not in listed]:
        what = f"no line names {len(left)} cases of the cohort: {some(left)}; add or drop them"
        yield Finding("error", "all folds", what, "run", PROBLEM)
    if len(folds) > 1 and (
        never := [c.id for c in cohort.cases if c.testable and not tested[c.id]]
    ):
        what = f"{len(never)} cases are never tested, so no figure tells of them: {some(never)}"
        yield Finding("remark", "all folds", what, "nothing", PROBLEM)


def _by_label(cases: Sequence[Case]) -> dict[str, int]:
    whose: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        if case.label:
            whose[case.label].add(likeness_key(case.patient))
    return {label: len(patients) for label, patients in sorted(whose.items())}


def _error(fold: int, what: str) -> Finding:
    return Finding("error", f"fold {fold}", what, "run", PROBLEM)
