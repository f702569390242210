"""P classes times K cases."""

from collections.abc import Iterator, Mapping, Sequence
from typing import final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.models import Batch
from wholecase.training.batches.rule import Batches, learnt
from wholecase.training.examples import Examples
from wholecase.training.orders import by_class, of_patients, of_several
from wholecase.training.views import Views


@final
class Classes(Batches):
    """P classes times K different cases a step, so that each case meets its like and others.

    Within a class every case is shown once before one is shown again, up to this: the K cases are
    of two patients or more where the class has them, so that a case's like is not only its own
    patient's. An epoch has as many steps as it takes to show as many cases as there are, and at
    least one.

    Args:
        examples: the cases.
        seed: fixes the order of every epoch.
        views: what is shown of a case; None shows all of it.
        classes: P, drawn anew for each step; None takes all of them.
        cases: K of each class.
        patients: of each class in a step, with K over so many cases of each, or all that it has
            where these are fewer; patients take turns. None: two or more, as it comes.
        instances: most instances in a batch that is judged.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        examples: Examples,
        seed: int,
        views: Views | None = None,
        *,
        classes: int | None = None,
        cases: int = 4,
        patients: int | None = None,
        instances: int = 60_000,
    ) -> None:
        if min(2 if classes is None else classes, 2) < 2 or min(cases, instances) < 1:
            raise RecipeError(
                "the batches `classes` need at least 2 of `classes` and 1 of `cases`, `instances`"
            )
        if patients is not None and (patients < 2 or cases % patients):
            raise RecipeError(
                "batches.patients is 2 or more and divides batches.cases, the cases of each class "
                f"in a step, not {patients} of {cases}; change one of them"
            )
        super().__init__(examples, seed, views, instances)
        self._classes, self._cases, self._patients = classes, cases, patients

    def epoch(self, number: int) -> Iterator[Batch]:
        """Class after class within a step."""
        rng = generator(self._seed, "batches", number)
        rounds = {label: self._rounds(own, rng) for label, own in self._members().items()}
        p = len(rounds) if self._classes is None else self._classes
        for _ in range(max(1, len(self._examples) // (p * self._cases))):
            step = [i for label in self._drawn(list(rounds), p, rng) for i in next(rounds[label])]
            yield learnt(self._examples, step, self._views, rng)

    def _rounds(
        self, members: Mapping[str, Sequence[int]], rng: np.random.Generator
    ) -> Iterator[list[int]]:
        """The cases of one class step by step, forever."""
        if self._patients is None:
            return of_several(members, self._cases, rng)
        return of_patients(members, self._patients, self._cases // self._patients, rng)

    def _members(self) -> dict[int, dict[str, list[int]]]:
        """Class -> patient -> the numbers of the cases; enough of all."""
        found = by_class(self._examples)
        name, count = "cases", self._cases
        if self._patients is not None:
            name, count = "patients", self._patients
        for label, own in found.items():
            there = len(own) if name == "patients" else sum(map(len, own.values()))
            if there < count:
                raise RecipeError(
                    f"batches.{name}={count} asks for more {name} of each class in a step than "
                    f"the {there} of class number {label} that learn; lower it"
                )
        if len(found) < (self._classes or 2):
            raise RecipeError(
                f"the batches `classes` ask for {self._classes or 2} classes in a step, and cases "
                f"of {len(found)} learn; lower batches.classes, or add cases"
            )
        return dict(sorted(found.items()))

    def _drawn(self, labels: list[int], p: int, rng: np.random.Generator) -> list[int]:
        if p == len(labels):
            return labels
        drawn: list[int] = np.sort(rng.choice(labels, p, replace=False)).tolist()
        return drawn
