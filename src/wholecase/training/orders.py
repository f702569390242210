"""In which order an epoch shows its cases, and how often each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.training.examples import Examples

Member = TypeVar("Member")


def each_once(examples: Examples, rng: np.random.Generator) -> list[int]:
    """All cases, mixed."""
    order: list[int] = rng.permutation(len(examples)).tolist()
    return order


def classes_alike(examples: Examples, rng: np.random.Generator) -> list[int]:
    """As many cases as there are, each class equally often, within it each patient equally often.

    Equally often is up to one: where the numbers do not divide, chance says who comes once more. A
    patient with several cases of a class shows them in turn. Some cases come several times, and
    those of a frequent class or of a patient with many may not come at all in this epoch.

    Raises:
        RecipeError: a case has no label.
    """
    members = by_class(examples)
    quota, more = divmod(len(examples), len(members))
    favoured = set(rng.permutation(sorted(members))[:more].tolist())
    drawn: list[int] = []
    for label in sorted(members):
        wanted = quota + (label in favoured)
        drawn += islice(_in_turn(list(members[label].values()), rng), wanted)
    return [drawn[i] for i in rng.permutation(len(drawn))]


def by_class(examples: Examples) -> dict[int, dict[str, list[int]]]:
    """Class -> patient -> the numbers of the cases.

    Raises:
        RecipeError: a case has no label.
    """
    found: dict[int, dict[str, list[int]]] = {}
    for label, i in labelled(examples):
        found.setdefault(label, {}).setdefault(examples.patient(i), []).append(i)
    return found


def labelled(examples: Examples) -> Iterator[tuple[int, int]]:
    """The class and the number of each case.

    Raises:
        RecipeError: a case has no label.
    """
    for i in range(len(examples)):
        label = examples.label(i)
        if label is None:
            raise RecipeError(
                f"a case of patient {examples.patient(i)!r} has no label to balance; "
                "use batches.balance=none with the batches `shuffled`"
            )
        yield label, i


def in_rounds(
    members: Sequence[Member], size: int, rng: np.random.Generator
) -> Iterator[list[Member]]:
    """So many different members at a time, forever; all once in a new order, then all again."""
    coming: list[Member] = []
    while True:
        if len(coming) < size:
            mixed = [members[i] for i in rng.permutation(len(members))]
            # those that end a round stand last in the next one: none comes twice at a time
            coming += sorted(mixed, key=coming.__contains__)
        yield coming[:size]
        coming = coming[size:]


def of_several(
    patients: Mapping[str, Sequence[int]], size: int, rng: np.random.Generator
) -> Iterator[list[int]]:
    """So many different cases at a time, forever, of two patients or more where there are two.

    All come once in a new order, then all again, up to this: where all others of a step are of one
    patient, the last is the next case of another.
    """
    whose = {case: patient for patient, own in patients.items() for case in own}
    members = sorted(whose)
    coming: list[int] = []
    while True:
        while (step := _next_step(coming, size, whose, several=len(patients) > 1)) is None:
            mixed = [members[i] for i in rng.permutation(len(members))]
            coming += sorted(mixed, key=set(coming).__contains__)
        yield step
        for case in step:
            coming.remove(case)


def _next_step(
    coming: Sequence[int], size: int, whose: Mapping[int, str], *, several: bool
) -> list[int] | None:
    """The first different cases; None where too few come."""
    step: list[int] = []
    for case in coming:
        lone = several and 0 < len(step) == size - 1
        if case in step or (lone and {whose[taken] for taken in step} == {whose[case]}):
            continue
        step.append(case)
        if len(step) == size:
            return step
    return None


def of_patients(
    patients: Mapping[str, Sequence[int]], count: int, each: int, rng: np.random.Generator
) -> Iterator[list[int]]:
    """`each` cases of `count` patients at a time, forever; patients and their cases take turns.

    Of a patient with fewer cases all come.
    """
    own = {name: in_rounds(cases, min(each, len(cases)), rng) for name, cases in patients.items()}
    for drawn in in_rounds(list(patients), count, rng):
        yield [case for name in drawn for case in next(own[name])]


def _in_turn(patients: Sequence[Sequence[int]], rng: np.random.Generator) -> Iterator[int]:
    """Round after round a case of each patient, in a new order each round."""
    turns = [_mixed_forever(cases, rng) for cases in patients]
    while True:
        yield from (next(turns[p]) for p in rng.permutation(len(turns)))


def _mixed_forever(cases: Sequence[int], rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.permutation(cases).tolist()


ORDERS: dict[str, Callable[[Examples, np.random.Generator], list[int]]] = {
    "none": each_once,
    "class": classes_alike,
}
