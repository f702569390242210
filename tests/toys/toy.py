"""What a toy is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wholecase.models import Batch, CaseModel
from wholecase.training import Batches, Example, Examples, Schedule, Shuffled, pack


class InMemory(Examples):
    """Examples that are just there."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = list(examples)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> Example:
        return self._examples[index]

    def batch(self, indices: Sequence[int]) -> Batch:
        return pack([self._examples[i] for i in indices])

    def instances(self, index: int) -> int:
        return len(self._examples[index].values)

    def patient(self, index: int) -> str:
        return self._examples[index].patient

    def label(self, index: int) -> int | None:
        targets = self._examples[index].targets
        return int(targets["label"].argmax()) if "label" in targets else None


@dataclass(frozen=True)
class Toy:
    """A system in small."""

    model: Callable[[], CaseModel]
    example: Callable[[np.random.Generator, int, str], Example]
    """(generator, label, case id) -> example."""
    schedule: Schedule
    cases: int = 48
    batches: Callable[[Examples, int], Batches] = lambda examples, seed: Shuffled(
        examples, seed, instances=400, cases=8
    )

    def examples(self, seed: int, count: int | None = None) -> InMemory:
        """Alternating labels; two cases per patient, so that patients matter."""
        rng = np.random.default_rng(seed)
        count = self.cases if count is None else count
        made = [self.example(rng, i % 2, f"{seed}-{i}") for i in range(count)]
        return InMemory(made)


def target(label: int) -> dict[str, Tensor]:
    """One-hot, as the loop wants it."""
    return {"label": torch.eye(2)[label]}


def patient_of(case: str) -> str:
    """Neighbours in the list share a patient, whatever their labels."""
    seed, number = case.split("-")
    return f"{seed}-p{int(number) // 2}"
