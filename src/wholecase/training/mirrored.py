"""Looked at as it is and mirrored: test-time augmentation, as sets of views that judge a case."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from wholecase.core.errors import RecipeError
from wholecase.core.lookup import check_options, look_up
from wholecase.core.table import Table
from wholecase.training.adaptive import Adaptive
from wholecase.training.examples import Example
from wholecase.training.views import Drawn, PerScale, Views


@final
class Mirrored(Views):
    """Judged as it is, left to right, top to bottom, and both; learnt as the other views show it.

    Args:
        seed: of the sets that judge.
        of: other views by name, or `{name: ..., options}`, of which each set is looked at in these
            ways; None takes all of a case.
        vertical: whether top and bottom change places, too; else there are two looks.
    """

    def __init__(
        self, seed: int, *, of: str | Mapping[str, Any] | None = None, vertical: bool = True
    ) -> None:
        self._of = None if of is None else _drawing(seed, of)
        self.mirrors = ((), (3,), (2,), (2, 3)) if vertical else ((), (3,))
        sets = 1 if self._of is None else self._of.sets
        super().__init__(seed, sets=sets * len(self.mirrors))

    def draw(self, example: Example, rng: np.random.Generator) -> Int[Tensor, " M"]:
        """All of a case, or what the other views draw."""
        if self._of is None:
            return torch.arange(len(example.values))
        return self._of.draw(example, rng)

    def shown(self, example: Example, rng: np.random.Generator) -> tuple[Int[Tensor, " M"], ...]:
        """What an epoch shows is not mirrored; `train.augment.flips` does that."""
        return (self.draw(example, rng),) if self._of is None else self._of.shown(example, rng)

    def kept(self, example: Example) -> tuple[Int[Tensor, " M"], ...]:
        """The instances of the sets that are looked at, each in all of the ways."""
        if self._of is None:
            return (torch.arange(len(example.values)),)
        return self._of.kept(example)


def _drawing(seed: int, of: str | Mapping[str, Any]) -> Views:
    options = {"name": of} if isinstance(of, str) else dict(of)
    name = options.pop("name", None)
    make = look_up(DRAWING, str(name), "views")
    check_options(make, options, f"the views {name!r}", {"seed"})
    try:
        drawing: Views = make(seed, **options)
    except TypeError as error:
        raise RecipeError(f"the views {name!r} cannot be built with {options}: {error}") from error
    return drawing


DRAWING: dict[str, type[Views]] = {"adaptive": Adaptive, "drawn": Drawn, "per_scale": PerScale}
VIEWS: Table[type[Views]] = Table("views", {**DRAWING, "flips": Mirrored}, Views, ("seed",))
