"""Who has images at which magnification: by class, by further label, by fold."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from wholecase.audit.counts import power_of
from wholecase.audit.division import Divide
from wholecase.audit.look import Look
from wholecase.cohort import Cohort, Split
from wholecase.core.errors import WholecaseError


@dataclass(frozen=True)
class ScaleCount:
    """Images of one group by magnification."""

    what: str
    """`label`, the name of a further label, `fold` for the test side of one, or `all`."""
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


def count_scales(cohort: Cohort, looks: Sequence[Look], divide: Divide | None = None) -> Scales:
    """Images that opened, by magnification and group; folds where the cohort can be divided."""
    power = {id(look): power_of(look) for look in looks if look.sight.trouble is None}
    found = set(power.values())
    if len(found - {None}) < 2:
        return Scales()
    powers = tuple(sorted(found, key=lambda p: (p is None, p or 0.0)))
    usable = [(look, power[id(look)]) for look in looks if id(look) in power]
    groups = _groups(cohort, usable, _divided(cohort, divide))
    return Scales(powers, tuple(_row(*group, powers) for group in groups))


Seen = tuple[Look, float | None]


def _divided(cohort: Cohort, divide: Divide | None) -> Split | None:
    if divide is not None:
        with suppress(WholecaseError):  # told as a finding
            return divide(cohort)
    return None


def _groups(
    cohort: Cohort, usable: Sequence[Seen], split: Split | None
) -> Iterator[tuple[str, str, list[Seen]]]:
    yield "all", "", list(usable)
    yield from _by("label", ((_label(cohort, look), (look, power)) for look, power in usable))
    names = [target.name for target in cohort.cases[0].targets] if cohort.cases else []
    for number, name in enumerate(names):
        values = ((look.case.targets[number].text, (look, power)) for look, power in usable)
        yield from _by(name, ((text or "(none)", seen) for text, seen in values))
    for fold in split.folds if split else ():
        cases = {case.id for case in fold.test}
        yield "fold", str(fold.number), [seen for seen in usable if seen[0].case.id in cases]


def _label(cohort: Cohort, look: Look) -> str:
    target = look.case.target
    return look.case.label or "(none)" if target is None else cohort.classes[target]


def _by(what: str, pairs: Iterable[tuple[str, Seen]]) -> Iterator[tuple[str, str, list[Seen]]]:
    groups: dict[str, list[Seen]] = {}
    for value, seen in pairs:
        groups.setdefault(value, []).append(seen)
    yield from ((what, value, groups[value]) for value in sorted(groups))


def _row(what: str, value: str, seen: Sequence[Seen], powers: Sequence[float | None]) -> ScaleCount:
    images = Counter(power for _, power in seen)
    of_patient: dict[str, set[float | None]] = {}
    for look, power in seen:
        of_patient.setdefault(look.case.patient, set()).add(power)
    wanted = set(powers) - {None}
    complete = sum(wanted <= own for own in of_patient.values())
    return ScaleCount(what, value, len(of_patient), complete, tuple(images[p] for p in powers))
