"""Which cases meet in a batch, and what is shown of them."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from wholecase.models import Batch
from wholecase.training.bounded import bounded
from wholecase.training.examples import Examples, pack
from wholecase.training.sets import Sets, shown_in, together
from wholecase.training.views import Views


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
        for asked in self.asked():
            yield from (asked,) if isinstance(asked, Batch) else asked.batches()

    def asked(self) -> Iterator[Batch | Sets]:
        """The same before it is asked: whole cases, or a few cases and their sets."""
        if (views := self._views) is None:
            yield from self.once()
            return
        judged = (shown_in(views, self._examples[i]) for i in range(len(self._examples)))
        for group in bounded(judged, _largest, self._instances, len(self._examples)):
            sets = together(group)
            yield from (sets.mirrored(axes) for axes in views.mirrors)


def learnt(
    examples: Examples, indices: list[int], views: Views | None, rng: np.random.Generator
) -> Batch:
    """These cases in one step, whole or as the epoch shows them."""
    if views is None:
        return examples.batch(indices)
    return pack([shown for i in indices for shown in views.learnt(examples[i], rng)])


def _largest(sets: Sets) -> int:
    return max(len(rows) for rows in sets.rows[0])
