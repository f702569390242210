"""What goes together with the label without being the disease: a model learns it first."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from wholecase.audit.counts import power_of
from wholecase.audit.findings import Finding
from wholecase.audit.indexed import file_of
from wholecase.audit.look import Look
from wholecase.cohort import Cohort

FEW_VALUES = 3
"""With more values in a class, standing apart may be chance."""
ENOUGH_PATIENTS = 5
"""In each class, below which standing apart may be chance as well."""


def _power(look: Look) -> str | None:
    power = power_of(look)
    return None if power is None else f"{power:g}x"


def _size(look: Look) -> str | None:
    return None if look.sight.size_px is None else "{} x {} px".format(*look.sight.size_px)


TRAITS: dict[str, Callable[[Look], str | None]] = {
    "site": lambda look: look.case.site,
    "kind": lambda look: look.image.kind,
    "magnification": _power,
    "file type": lambda look: file_of(look.image.path).suffix.lower() or None,
    "size": _size,
}
"""What is compared between the classes; None is unknown, and then nothing is said."""


def confound_findings(cohort: Cohort, looks: Sequence[Look]) -> Iterator[Finding]:
    """A warning for each trait of which no value occurs in two classes."""
    usable = [look for look in looks if look.sight.trouble is None]
    for trait, tell in TRAITS.items():
        values: dict[int, set[str]] = defaultdict(set)
        patients: dict[int, set[str]] = defaultdict(set)
        for look in usable:
            target, value = look.case.target, tell(look)
            if target is None or value is None:
                values.clear()
                break
            values[target].add(value)
            patients[target].add(look.case.patient)
        if _apart(values) and min(map(len, patients.values())) >= ENOUGH_PATIENTS:
            shares = "; ".join(
                f"{cohort.classes[target]}: {', '.join(sorted(values[target]))}"
                for target in sorted(values)
            )
            what = f"it tells the class ({shares}); a model can learn it instead of the disease"
            yield Finding("warning", trait, what, "nothing", "trait that gives the label away")


def _apart(values: Mapping[int, set[str]]) -> bool:
    """Whether there are two classes, few values in each, and none in common."""
    sets = list(values.values())
    few = all(len(found) <= FEW_VALUES for found in sets)
    return len(sets) > 1 and few and len(set().union(*sets)) == sum(map(len, sets))
