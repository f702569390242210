"""Cases in random order."""

from collections.abc import Iterator
from typing import final

import numpy as np

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.core.seeds import generator
from wholecase.models import Batch
from wholecase.training.batches.rule import Batches, learnt
from wholecase.training.bounded import bounded
from wholecase.training.examples import Example, Examples, pack
from wholecase.training.orders import ORDERS
from wholecase.training.views import Drawn, Views


@final
class Shuffled(Batches):
    """Cases in random order, a batch bounded by instances (memory) and by cases.

    A case with more instances than the bound makes a batch of its own.

    Args:
        examples: the cases.
        seed: fixes the order of every epoch.
        views: what is shown of a case; None shows all of it.
        instances: most instances in a batch.
        cases: most cases in a batch, that is per optimizer step; 1 is the published CLAM.
        max_instances: while learning, draw at most so many of a case's instances anew each epoch;
            None uses all of them. Judging always uses all; `views` draw while judging, too.
        balance: `none` shows each case once an epoch; `class` shows as many cases, but each class
            equally often, and within it each patient. Judging shows each case once either way.
    """

    def __init__(  # noqa: PLR0913 (the options of a recipe)
        self,
        examples: Examples,
        seed: int,
        views: Views | None = None,
        *,
        instances: int = 60_000,
        cases: int = 1,
        max_instances: int | None = None,
        balance: str = "none",
    ) -> None:
        if instances < 1 or cases < 1 or (max_instances is not None and max_instances < 1):
            raise RecipeError("batches need at least 1 for `instances`, `cases`, `max_instances`")
        if views is not None and max_instances is not None:
            raise RecipeError(
                "batches.max_instances and `views` both draw instances; give one of them"
            )
        super().__init__(examples, seed, views, instances)
        self._cases = cases
        self._part = None if max_instances is None else Drawn(seed, instances=max_instances)
        self._order = look_up(ORDERS, balance, "balance of batches")

    def epoch(self, number: int) -> Iterator[Batch]:
        """A fresh order each epoch."""
        rng = generator(self._seed, "batches", number)
        order = self._order(self._examples, rng)
        if self._views is not None:
            yield from self._of_views(order, self._views, rng)
            return
        for group in bounded(order, self._examples.instances, self._instances, self._cases):
            yield learnt(self._examples, group, self._part, rng)

    def _of_views(
        self, order: list[int], views: Views, rng: np.random.Generator
    ) -> Iterator[Batch]:
        """What is shown counts, not what the cases have."""
        for group in bounded(self._shown(order, views, rng), _size, self._instances, self._cases):
            yield pack(group)

    def _shown(self, order: list[int], views: Views, rng: np.random.Generator) -> Iterator[Example]:
        """A case is read once; several sets of it are mixed with those of others."""
        for first in range(0, len(order), self._cases):
            group = order[first : first + self._cases]
            sets = [shown for i in group for shown in views.learnt(self._examples[i], rng)]
            several = len(sets) > len(group)
            places = rng.permutation(len(sets)).tolist() if several else range(len(sets))
            yield from (sets[place] for place in places)


def _size(example: Example) -> int:
    return len(example.values)
