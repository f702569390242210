"""Who has images at which magnification: by class, counted column, further label and fold."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from wholecase.audit.counts import power_of
from wholecase.audit.division import Divide
from wholecase.audit.look import Look
from wholecase.cohort import Case, Cohort, Image, Split
from wholecase.core.errors import WholecaseError


@dataclass(frozen=True)
class ScaleCount:
    """Images of one group by magnification."""

    what: str
    """`label`, a counted column, the name of a further label, `fold` for the test side of one, or
    `all`."""
    value: str
    patients: int
    complete: int
    """Patients that have all magnifications of the cohort."""
    images: tuple[int, ...]
    """At each magnification, in the order of `Scales.powers`."""


@dataclass(frozen=True)
class Scales:
    """A cohort of several magnifications; without rows where it has one, or nobody tells it."""

    powers: tuple[float | None, ...] = ()
    """Weakest first; None, where nothing tells it, last."""
    rows: tuple[ScaleCount, ...] = ()


Seen = tuple[Case, Image, float | None]
"""A case, an image of it, and the image's magnification."""


def count_scales(cohort: Cohort, looks: Sequence[Look], divide: Divide | None = None) -> Scales:
    """Images that opened, by magnification and group; folds where the cohort can be divided."""
    usable = [look for look in looks if look.sight.trouble is None]
    seen = [(look.case, look.image, power_of(look)) for look in usable]
    if len({power for *_, power in seen} - {None}) < 2:
        return Scales()
    return scales_of(cohort, seen, _divided(cohort, divide))


def scales_of(cohort: Cohort, seen: Sequence[Seen], split: Split | None) -> Scales:
    """The same of images that are known; nothing where none has a magnification."""
    found = {power for *_, power in seen}
    if not found - {None}:
        return Scales()
    powers = tuple(sorted(found, key=lambda p: (p is None, p or 0.0)))
    return Scales(powers, tuple(_row(*group, powers) for group in _groups(cohort, seen, split)))


def _divided(cohort: Cohort, divide: Divide | None) -> Split | None:
    if divide is not None:
        with suppress(WholecaseError):  # told as a finding
            return divide(cohort)
    return None


def _groups(
    cohort: Cohort, usable: Sequence[Seen], split: Split | None
) -> Iterator[tuple[str, str, list[Seen]]]:
    yield "all", "", list(usable)
    yield from _by("label", ((_label(cohort, seen[0]), seen) for seen in usable))
    names = [target.name for target in cohort.cases[0].targets] if cohort.cases else []
    for number, name in enumerate(cohort.counted):
        if name not in names and any(image.groups[number] for _, image, _ in usable):
            told = ((seen[1].groups[number] or "(none)", seen) for seen in usable)
            yield from _by(name, told)
    for number, name in enumerate(names):
        values = ((seen[0].targets[number].text, seen) for seen in usable)
        yield from _by(name, ((text or "(none)", seen) for text, seen in values))
    for fold in split.folds if split else ():
        cases = {case.id for case in fold.test}
        yield "fold", str(fold.number), [seen for seen in usable if seen[0].id in cases]


def _label(cohort: Cohort, case: Case) -> str:
    return case.label or "(none)" if case.target is None else cohort.classes[case.target]


def _by(what: str, pairs: Iterable[tuple[str, Seen]]) -> Iterator[tuple[str, str, list[Seen]]]:
    groups: dict[str, list[Seen]] = {}
    for value, seen in pairs:
        groups.setdefault(value, []).append(seen)
    yield from ((what, value, groups[value]) for value in sorted(groups))


def _row(what: str, value: str, seen: Sequence[Seen], powers: Sequence[float | None]) -> ScaleCount:
    images = Counter(power for *_, power in seen)
    of_patient: dict[str, set[float | None]] = {}
    for case, _, power in seen:
        of_patient.setdefault(case.patient, set()).add(power)
    wanted = set(powers) - {None}
    complete = sum(wanted <= own for own in of_patient.values())
    return ScaleCount(what, value, len(of_patient), complete, tuple(images[p] for p in powers))
