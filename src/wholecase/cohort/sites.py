"""Whole sites on one side: does a model hold where it has never been?"""

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np

from wholecase.cohort.cases import Case, Cohort
from wholecase.cohort.identity import identity_key, likeness_key
from wholecase.cohort.split import some
from wholecase.cohort.strata import Patient
from wholecase.core.errors import SplitError


def groups_by_site(
    cohort: Cohort, patients: Sequence[Patient], folds: int
) -> tuple[frozenset[str], ...]:
    """The patients of each test side, sites whole; `patients` are in the order of chance.

    Sites that share a patient are one. The largest are dealt first, each to the fold that comes
    nearest to equal numbers of patients of every class by it.

    Raises:
        SplitError: a case has no site, or there are fewer sites than folds.
    """
    own = _patients_by_site(cohort)
    if len(own) < folds:
        raise SplitError(
            f"{cohort.path}: {len(own)} sites cannot be dealt to {folds} folds whole; ask for "
            f"protocol.folds={max(len(own), 2)}"
        )
    targets = {patient.id: patient.targets for patient in patients}
    classes = len(cohort.classes)
    order = {patient.id: place for place, patient in enumerate(patients)}
    sites = sorted(own, key=lambda ids: (-len(ids), min(order.get(i, 0) for i in ids)))
    counts = [_by_class([targets[i] for i in ids if i in targets], classes) for ids in sites]
    goal = np.sum(counts, axis=0) / folds
    dealt, hands = np.zeros((folds, classes)), [set[str]() for _ in range(folds)]
    for place, (ids, count) in enumerate(zip(sites, counts, strict=True)):
        empty = [fold for fold in range(folds) if not hands[fold]]
        # the last sites go to folds that have none
        among = empty if len(empty) >= len(sites) - place else list(range(folds))
        costs = {fold: _cost(dealt[fold] + count, dealt[fold], goal) for fold in among}
        best = min(costs, key=costs.__getitem__)
        dealt[best] += count
        hands[best] |= ids
    return tuple(frozenset(ids) for ids in hands)


def _cost(after: np.ndarray, before: np.ndarray, goal: np.ndarray) -> float:
    """How much further from the goal a fold is with a site than without it."""
    scale = np.maximum(goal, 1e-9)
    return float((((after - goal) / scale) ** 2 - ((before - goal) / scale) ** 2).sum())


def _by_class(targets: Sequence[tuple[int, ...]], classes: int) -> np.ndarray:
    counts = Counter(target for own in targets for target in own)
    return np.array([counts[c] for c in range(classes)], dtype=np.float64)


def _patients_by_site(cohort: Cohort) -> list[set[str]]:
    """Patients by what must stay together: the sites, joined where a patient was at several."""
    cases = [case for case in cohort.cases if case.testable]
    if nowhere := [case.id for case in cases if not case.site]:
        raise SplitError(
            f"{cohort.path}, column 'site': nothing is said of {some(nowhere)}; write the site of "
            "every case, or set protocol.group=patient"
        )
    root: dict[str, str] = {}

    def find(name: str) -> str:
        while root.setdefault(name, name) != name:
            name = root[name]
        return name

    for ids in _sites_of(cases).values():
        first, *others = sorted(ids)
        for other in others:
            root[find(other)] = find(first)
    groups: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        groups[find(identity_key(case.site or ""))].add(likeness_key(case.patient))
    return list(groups.values())


def _sites_of(cases: Sequence[Case]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        found[likeness_key(case.patient)].add(identity_key(case.site or ""))
    return found
