"""Deals patients to groups so that each group gets its share of every class."""

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from wholecase.cohort.cases import Case, Cohort
from wholecase.cohort.identity import likeness_key


@dataclass(frozen=True)
class Patient:
    """What a division needs to know of a patient (`Case.unit`): the cases that can be judged."""

    id: str
    """The `likeness_key`: patients whose ids are alike are divided as one."""
    targets: tuple[int, ...]
    """The classes of these cases, each once, ascending; the patient's stratum."""
    cases: int


def patients_of(cohort: Cohort) -> tuple[Patient, ...]:
    """The patients with a case that can be judged, sorted: the manifest's order has no say."""
    cases: dict[str, list[Case]] = {}
    key_of = functools.cache(likeness_key)
    for case in cohort.cases:
        if case.testable:
            cases.setdefault(key_of(case.unit), []).append(case)
    # sorted as the manifest writes them, by the first where a patient has several spellings
    names = {key: min(case.unit for case in group) for key, group in cases.items()}
    return tuple(_patient(key, cases[key]) for key in sorted(cases, key=names.__getitem__))


def _patient(key: str, cases: Sequence[Case]) -> Patient:
    targets = {case.target for case in cases if case.target is not None}
    return Patient(key, tuple(sorted(targets)), len(cases))


def of_class(patients: Iterable[Patient], target: int) -> int:
    """How many patients have a case of that class."""
    return sum(target in patient.targets for patient in patients)


def deal(patients: Sequence[Patient], shares: Sequence[float]) -> tuple[frozenset[str], ...]:
    """The ids of the patients in each group; the order of `patients` is what chance decided.

    Each patient goes to the group that is furthest behind its share in the patient's classes.
    Patients with several classes come first, so that the others level what they left uneven; for
    the same reason those with many cases come before those with few. With one class per patient,
    or two classes in all, equal groups differ by one patient of a class at most.
    """
    hands = [_Hand(share) for share in shares]
    for patient in sorted(patients, key=_turn):
        min(hands, key=lambda hand: hand.rank(patient)).take(patient)
    return tuple(frozenset(hand.ids) for hand in hands)


def _turn(patient: Patient) -> tuple[int, tuple[int, ...], int]:
    # the case count by powers of two: sorted exactly, nothing would be left to chance
    return -len(patient.targets), patient.targets, -patient.cases.bit_length()


@final
class _Hand:
    """What one group has been dealt so far."""

    def __init__(self, share: float) -> None:
        self.share = share
        self.ids: list[str] = []
        self.cases = 0
        self.of_class: Counter[int] = Counter()

    def rank(self, patient: Patient) -> tuple[int, float, float, float]:
        """Lowest where the patient is needed most (the divisor method of Sainte-Laguë 1910)."""
        lacking = sum(not self.of_class[target] for target in patient.targets)
        quotients = sum((self.of_class[target] + 0.5) / self.share for target in patient.targets)
        total = (len(self.ids) + 0.5) / self.share
        return -lacking, quotients, total, self.cases / self.share

    def take(self, patient: Patient) -> None:
        self.ids.append(patient.id)
        self.cases += patient.cases
        self.of_class.update(patient.targets)
