"""Which cases meet in a batch, and what is shown of them."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import numpy as np

from wholecase.models import Batch
from wholecase.training.examples import Example, Examples, pack
from wholecase.training.views import Views

Item = TypeVar("Item")


class Batches(ABC):
    """Every member is built as `Member(examples, seed, views, **options)`.

    It looks at no example before the first epoch, so that options can be tried before any is read.
    `instances` are the most in a batch that is judged. One that knows no `views` shows its cases
    whole; a recipe that asks for both is refused.
    """

    def __init__(self, examples: Examples, seed: int, views: Views | None, instances: int) -> None:
        self._examples, self._seed, self._views = examples, seed, views
        self._instances = instances

    @abstractmethod
    def epoch(self, number: int) -> Iterator[Batch]:
        """Mixed or balanced, for learning; the same number gives the same batches."""

    @property
    def examples(self) -> Examples:
        """The cases."""
        return self._examples

    def over(self, examples: Examples) -> "Batches":
        """The same rule and order over the same cases, of which something else is shown."""
        other = copy.copy(self)
        other._examples = examples
        return other

    def once(self) -> Iterator[Batch]:
        """Each case once, in order, whole; bounded by instances alone, since nothing is learnt."""
        every = range(len(self._examples))
        for group in bounded(every, self._examples.instances, self._instances, len(every)):
            yield self._examples.batch(group)

    def judged(self) -> Iterator[Batch]:
        """Each case in order, as often as it is judged: whole, or by its sets of views.

        With views a batch is one set of a few cases, so that a case is read once.
        """
        if (views := self._views) is None:
            yield from self.once()
            return
        judged = (views.judged(self._examples[i]) for i in range(len(self._examples)))
        for group in bounded(judged, _largest, self._instances, len(self._examples)):
            for number in range(views.sets):
                yield pack([sets[number] for sets in group])


def bounded(
    items: Iterable[Item], size: Callable[[Item], int], most_instances: int, most_items: int
) -> Iterator[list[Item]]:
    """Items in order, as many together as both bounds allow, and at least one."""
    group: list[Item] = []
    total = 0
    for item in items:
        here = size(item)
        if group and (len(group) == most_items or total + here > most_instances):
            yield group
            group, total = [], 0
        group.append(item)
        total += here
    if group:
        yield group


def learnt(
    examples: Examples, indices: list[int], views: Views | None, rng: np.random.Generator
) -> Batch:
    """These cases in one step, whole or as the epoch shows them."""
    if views is None:
        return examples.batch(indices)
    return pack([shown for i in indices for shown in views.learnt(examples[i], rng)])


def _largest(sets: tuple[Example, ...]) -> int:
    return max(len(example.values) for example in sets)
