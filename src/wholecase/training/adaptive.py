"""A share of a patient's images in each epoch: the more there are, the smaller."""

import math
from typing import final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.training.examples import Example
from wholecase.training.views import Views, by_scale

SHARES = ((15, 0.60), (30, 0.40), (math.inf, 0.25))
"""Up to so many images of a magnification, and the part of them that is an epoch's pool."""


@final
class Adaptive(Views):
    """One instance of each scale in a set; an epoch draws a pool of each scale, then its sets.

    Of at most 15 images of a scale 60 % are the pool, of at most 30 images 40 %, of more 25 %. An
    epoch shows `most` sets where the pool of every scale has as many images, else `least`; images
    of a scale repeat where its pool has fewer. One that is missing is not invented. What judges is
    drawn from all images.

    Args:
        seed: of the sets that judge.
        sets: that judge a case.
        least: sets of a case that an epoch shows.
        most: the same, where the pool allows it.
    """

    def __init__(self, seed: int, *, sets: int = 16, least: int = 3, most: int = 4) -> None:
        super().__init__(seed, sets=sets)
        if not 1 <= least <= most:
            raise RecipeError(
                "the views `adaptive` show 1 set or more, `least` no more than `most`, not "
                f"{least} and {most}"
            )
        self._least, self._most = least, most

    def draw(self, example: Example, rng: np.random.Generator) -> Int[Tensor, " M"]:
        """Evenly among all instances of a scale; scales are told apart exactly."""
        chosen = [int(rng.choice(own)) for own in by_scale(example, "adaptive")]
        return torch.tensor(sorted(chosen))

    def shown(self, example: Example, rng: np.random.Generator) -> tuple[Int[Tensor, " M"], ...]:
        """The sets of one epoch."""
        pools = [_pool(own, rng) for own in by_scale(example, "adaptive")]
        count = self._most if min(map(len, pools)) >= self._most else self._least
        return tuple(
            torch.tensor(sorted(int(pool[number % len(pool)]) for pool in pools))
            for number in range(count)
        )


def _pool(own: Int[np.ndarray, " n"], rng: np.random.Generator) -> list[int]:
    share = next(share for most, share in SHARES if len(own) <= most)
    size = max(1, math.ceil(share * len(own) - 1e-9))
    return [int(i) for i in rng.permutation(own)[:size]]
