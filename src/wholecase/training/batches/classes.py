"""P classes times K cases."""

from collections.abc import Iterator
from typing import final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.models import Batch
from wholecase.training.batches.rule import Batches, learnt
from wholecase.training.examples import Examples
from wholecase.training.orders import in_rounds, labelled
from wholecase.training.views import Views


@final
class Classes(Batches):
    """P classes times K different cases a step, so that each case meets its like and others.

    Within a class every case is shown once before one is shown again. An epoch has as many steps as
    it takes to show as many cases as there are, and at least one.

    Args:
        examples: the cases.
        seed: fixes the order of every epoch.
        views: what is shown of a case; None shows all of it.
        classes: P, drawn anew for each step; None takes all of them.
        cases: K of each class.
        instances: most instances in a batch that is judged.
    """

    def __init__(
        self,
        examples: Examples,
        seed: int,
        views: Views | None = None,
        *,
        classes: int | None = None,
        cases: int = 4,
        instances: int = 60_000,
    ) -> None:
        if min(2 if classes is None else classes, 2) < 2 or min(cases, instances) < 1:
            raise RecipeError(
                "the batches `classes` need at least 2 of `classes` and 1 of `cases`, `instances`"
            )
        super().__init__(examples, seed, views, instances)
        self._classes, self._cases = classes, cases

    def epoch(self, number: int) -> Iterator[Batch]:
        """Class after class within a step."""
        rng = generator(self._seed, "batches", number)
        rounds = {
            label: in_rounds(cases, self._cases, rng) for label, cases in self._members().items()
        }
        p = len(rounds) if self._classes is None else self._classes
        for _ in range(max(1, len(self._examples) // (p * self._cases))):
            step = [i for label in self._drawn(list(rounds), p, rng) for i in next(rounds[label])]
            yield learnt(self._examples, step, self._views, rng)

    def _members(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for label, i in labelled(self._examples):
            found.setdefault(label, []).append(i)
        for label, cases in found.items():
            if len(cases) < self._cases:
                raise RecipeError(
                    f"batches.cases={self._cases} asks for more cases of each class in a step "
                    f"than the {len(cases)} of class number {label} that learn; lower it"
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
