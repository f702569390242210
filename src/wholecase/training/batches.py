"""Which cases meet in a batch."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import final

import numpy as np
import torch

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import look_up
from wholecase.core.seeds import generator
from wholecase.models import Batch
from wholecase.training.examples import Example, Examples, pack
from wholecase.training.orders import ORDERS


class Batches(ABC):
    """Every member is built as `Member(examples, seed, **options)`."""

    @abstractmethod
    def epoch(self, number: int) -> Iterator[Batch]:
        """Mixed or balanced, for learning; the same number gives the same batches."""

    @abstractmethod
    def once(self) -> Iterator[Batch]:
        """Each case once, in order, whole: for judging and remembering."""


@final
class Shuffled(Batches):
    """Cases in random order, a batch bounded by instances (memory) and by cases.

    A case with more instances than the bound makes a batch of its own.

    Args:
        examples: the cases.
        seed: fixes the order of every epoch.
        instances: most instances in a batch.
        cases: most cases in a batch, that is per optimizer step; 1 is the published CLAM.
        max_instances: while learning, draw at most so many of a case's instances anew each epoch;
            None uses all of them. Judging always uses all.
        balance: `none` shows each case once an epoch; `class` shows as many cases, but each class
            equally often, and within it each patient. Judging shows each case once either way.
    """

    def __init__(
        self,
        examples: Examples,
        seed: int,
        *,
        instances: int = 60_000,
        cases: int = 1,
        max_instances: int | None = None,
        balance: str = "none",
    ) -> None:
        if instances < 1 or cases < 1 or (max_instances is not None and max_instances < 1):
            raise RecipeError("batches need at least 1 for `instances`, `cases`, `max_instances`")
        self._examples, self._seed = examples, seed
        self._instances, self._cases, self._most = instances, cases, max_instances
        self._order = look_up(ORDERS, balance, "balance of batches")

    def epoch(self, number: int) -> Iterator[Batch]:
        """A fresh order each epoch."""
        rng = generator(self._seed, "batches", number)
        for group in self._groups(self._order(self._examples, rng), self._cases):
            if self._most is None:
                yield self._examples.batch(group)
            else:
                yield pack([self._drawn(self._examples[i], rng, self._most) for i in group])

    def once(self) -> Iterator[Batch]:
        """In order; bounded by instances alone, since nothing is learnt."""
        for group in self._groups(range(len(self._examples)), len(self._examples)):
            yield self._examples.batch(group)

    def _groups(self, order: Iterable[int], most_cases: int) -> Iterator[list[int]]:
        group: list[int] = []
        total = 0
        for i in order:
            size = self._examples.instances(i)
            if group and (len(group) == most_cases or total + size > self._instances):
                yield group
                group, total = [], 0
            group.append(i)
            total += size
        if group:
            yield group

    def _drawn(self, example: Example, rng: np.random.Generator, most: int) -> Example:
        size = len(example.values)
        if size <= most:
            return example
        kept = torch.from_numpy(np.sort(rng.choice(size, most, replace=False)))
        return example.only(kept)


BATCHES: dict[str, type[Batches]] = {"shuffled": Shuffled}
