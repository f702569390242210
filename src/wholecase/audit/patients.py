"""What is notable about patients and classes, without opening an image."""

from collections import defaultdict
from collections.abc import Iterator

from wholecase.audit.findings import Finding
from wholecase.cohort import Cohort, anonymity_note

FEW_PATIENTS = 10
"""With fewer of a class, a fold of five tests on one or two of them."""


def patient_findings(cohort: Cohort) -> Iterator[Finding]:
    """Findings about classes, and about patients that nobody knows."""
    if cohort.classes:
        yield from _thin_classes(cohort)
        yield from _several_classes(cohort)
    if note := anonymity_note(cohort):
        yield Finding("warning", "patients", note, "nothing", "unknown patients")


def _thin_classes(cohort: Cohort) -> Iterator[Finding]:
    for target, name in enumerate(cohort.classes):
        found = len({case.patient for case in cohort.cases if case.target == target})
        if found == 0:
            what = "no case has it; add some, or take the class out of the recipe"
            yield Finding("error", f"class {name!r}", what, "run", "empty class")
        elif found < FEW_PATIENTS:
            what = f"patients: {found}; figures from so few say little, add some if you can"
            yield Finding("warning", f"class {name!r}", what, "nothing", "few patients")


def _several_classes(cohort: Cohort) -> Iterator[Finding]:
    targets: dict[str, set[int]] = defaultdict(set)
    for case in cohort.cases:
        if case.target is not None:
            targets[case.patient].add(case.target)
    for patient, found in targets.items():
        if len(found) > 1:
            names = " and ".join(cohort.classes[target] for target in sorted(found))
            what = f"has cases of {names}; make sure that it is meant"
            yield Finding(
                "warning", f"patient {patient!r}", what, "nothing", "patient of several classes"
            )
