"""Positive and negative patients in a fixed ratio."""

from collections.abc import Iterator
from typing import final

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import generator
from wholecase.models import Batch
from wholecase.training.batches.rule import Batches, learnt
from wholecase.training.examples import Examples
from wholecase.training.orders import in_rounds, labelled
from wholecase.training.views import Views


@final
class Patients(Batches):
    """So many positive and so many negative patients a step, each with all of its cases.

    An epoch lasts until every patient was shown; the side that is through earlier begins again in
    another order. A patient with a positive case counts as positive. What a step needs of memory is
    what its patients need.

    Args:
        examples: the cases, of two classes.
        seed: fixes the order of every epoch.
        views: what is shown of a case; None shows all of it.
        positive: patients a step.
        negative: patients a step.
        instances: most instances in a batch that is judged.
    """

    def __init__(
        self,
        examples: Examples,
        seed: int,
        views: Views | None = None,
        *,
        positive: int = 2,
        negative: int = 3,
        instances: int = 60_000,
    ) -> None:
        if min(positive, negative, instances) < 1:
            raise RecipeError("batches need at least 1 for `positive`, `negative`, `instances`")
        super().__init__(examples, seed, views, instances)
        self._sizes = negative, positive

    def epoch(self, number: int) -> Iterator[Batch]:
        """Every patient at least once."""
        rng = generator(self._seed, "batches", number)
        cases, sides = self._sides()
        steps = max(-(-len(side) // size) for side, size in zip(sides, self._sizes, strict=True))
        rounds = [in_rounds(side, size, rng) for side, size in zip(sides, self._sizes, strict=True)]
        for _ in range(steps):
            patients = [patient for side in reversed(rounds) for patient in next(side)]
            step = [i for patient in patients for i in cases[patient]]
            yield learnt(self._examples, step, self._views, rng)

    def _sides(self) -> tuple[dict[str, list[int]], tuple[list[str], list[str]]]:
        """The cases of each patient, and the negative and the positive patients."""
        cases: dict[str, list[int]] = {}
        highest: dict[str, int] = {}
        for label, i in labelled(self._examples):
            if label > 1:
                raise RecipeError(
                    "the batches `patients` know positive and negative patients, and there are "
                    "more than 2 classes; use `classes`"
                )
            patient = self._examples.patient(i)
            cases.setdefault(patient, []).append(i)
            highest[patient] = max(label, highest.get(patient, 0))
        sides = [p for p in cases if not highest[p]], [p for p in cases if highest[p]]
        for name, side, size in zip(("negative", "positive"), sides, self._sizes, strict=True):
            if len(side) < size:
                raise RecipeError(
                    f"batches.{name}={size} asks for more {name} patients in a step than the "
                    f"{len(side)} that learn; lower it"
                )
        return cases, sides
