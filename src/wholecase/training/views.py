"""What is shown of a case: a draw of its instances, while learning and while judging."""

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.training.examples import Example


class Views(ABC):
    """Every member is built as `Member(seed, **options)`; `sets` is how many judge a case.

    While learning, an epoch shows one set of instances, drawn anew. While judging, a case is asked
    by several sets, the same ones each time, and the mean of their probabilities is its answer.
    """

    mirrors: tuple[tuple[int, ...], ...] = ((),)
    """Axes of pixels along which the sets that judge are turned, one way after the other."""

    def __init__(self, seed: int, *, sets: int) -> None:
        if sets < 1:
            raise RecipeError(f"views need at least 1 of `sets`, not {sets}")
        self.seed, self.sets = seed, sets

    @abstractmethod
    def draw(self, example: Example, rng: np.random.Generator) -> Int[Tensor, " M"]:
        """Which instances one set shows, in rising order.

        Raises:
            RecipeError: the case lacks what the rule asks for.
        """

    def shown(self, example: Example, rng: np.random.Generator) -> tuple[Int[Tensor, " M"], ...]:
        """The sets that an epoch shows of a case: one, unless a member shows several."""
        return (self.draw(example, rng),)

    def learnt(self, example: Example, rng: np.random.Generator) -> tuple[Example, ...]:
        """What an epoch shows of a case."""
        return tuple(part_of(example, kept) for kept in self.shown(example, rng))

    def kept(self, example: Example) -> tuple[Int[Tensor, " M"], ...]:
        """The instances of each of the sets that judge a case, in each way of `mirrors`."""
        rng = generator(self.seed, "views", example.case)
        return tuple(self.draw(example, rng) for _ in range(self.sets))

    def judged(self, example: Example) -> tuple[Example, ...]:
        """The S sets that judge a case, all in one way and then in the next."""
        sets = [part_of(example, kept) for kept in self.kept(example)]
        return tuple(mirrored(part, axes) for axes in self.mirrors for part in sets)


def judged_views(views: Views | None, example: Example) -> tuple[Example, ...]:
    """By what a case is judged: its sets of views, or the case as a whole where there is no rule.

    The case's probabilities are the mean over them.
    """
    return (example,) if views is None else views.judged(example)


def mirrored(example: Example, axes: tuple[int, ...]) -> Example:
    """The same case with its pixels turned along these axes; as it is where there are none."""
    if not axes:
        return example
    if example.values.dim() != 4 or example.after:
        raise ValueError(f"case {example.case!r} has no pixels that could be mirrored")
    return replace(example, values=example.values.flip(axes))


@final
class Drawn(Views):
    """So many instances at random; a case with fewer is shown whole.

    Args:
        seed: of the sets that judge.
        instances: in a set, at most.
        sets: that judge a case.
    """

    def __init__(self, seed: int, *, instances: int, sets: int = 4) -> None:
        super().__init__(seed, sets=sets)
        if instances < 1:
            raise RecipeError(f"views need at least 1 of `instances`, not {instances}")
        self._instances = instances

    def draw(self, example: Example, rng: np.random.Generator) -> Int[Tensor, " M"]:
        """Each instance at most once."""
        size = len(example.values)
        if size <= self._instances:
            return torch.arange(size)
        return torch.from_numpy(np.sort(rng.choice(size, self._instances, replace=False)))


@final
class PerScale(Views):
    """One instance of each scale or magnification; one that is missing is not invented.

    Args:
        seed: of the sets that judge.
        sets: that judge a case.
    """

    def __init__(self, seed: int, *, sets: int = 4) -> None:
        super().__init__(seed, sets=sets)

    def draw(self, example: Example, rng: np.random.Generator) -> Int[Tensor, " M"]:
        """Evenly among the instances of a scale; scales are told apart exactly."""
        chosen = [int(rng.choice(own)) for own in by_scale(example, "per_scale")]
        return torch.tensor(sorted(chosen))


def by_scale(example: Example, views: str) -> list[Int[np.ndarray, " n"]]:
    """The instances of each scale, scales rising.

    Raises:
        RecipeError: an instance has no scale; `views` is who asks.
    """
    scale = example.scale
    if scale is None or bool(scale.isnan().any()):
        raise RecipeError(
            f"the views `{views}` need the scale of every image, and case {example.case!r} "
            "has one without; fill the manifest's column `magnification`, or use other views"
        )
    return [np.flatnonzero(scale == own) for own in np.unique(scale)]


def part_of(example: Example, kept: Int[Tensor, " M"]) -> Example:
    """These of its instances, in rising order; not copied where they are all of them."""
    return example if len(kept) == len(example.values) else example.only(kept)
