"""What sleeping parts of a network make of the cases: computed once, and read again each epoch."""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import torch
from torch import Tensor, nn

from wholecase.core.errors import RecipeError
from wholecase.core.seeds import seed_of
from wholecase.models import WHOLE, Batch, CaseModel, device_of, is_each_alone, lowered
from wholecase.training.augment import Augment
from wholecase.training.batches import Batches
from wholecase.training.batches.rule import bounded
from wholecase.training.examples import Example, Examples, pack, unpacked

AT_ONCE = 256
"""Instances that go through the sleeping part together."""


@dataclass(frozen=True)
class Reuse:
    """How much is kept.

    Args:
        variants: of each case that learns, where it is changed while learning: epoch e sees variant
            e modulo this. Where nothing is changed there is one.
        gigabytes: most on disk for one training. Where the variants need more there are fewer of
            them, and where one needs more, nothing is kept.
    """

    variants: int = 4
    gigabytes: float = 8.0

    def __post_init__(self) -> None:
        if self.variants < 1 or not self.gigabytes > 0:
            raise RecipeError(
                "train.reuse needs 1 variant or more and more than 0 gigabytes, not "
                f"{self.variants} and {self.gigabytes!r}"
            )


@final
class Kept:
    """The two sides of a training, past the part of the network that sleeps.

    That part is found anew for every stage. What it makes of a case does not change while it
    sleeps, so that an epoch costs what the waking parts cost. It lies in a file without a name,
    which the system takes away with the process.

    Args:
        sides: of the training and of the inner patients.
        reuse: how much is kept.
        augment: how cases are changed while learning.
        seed: of the changes.
        folder: where the file lies; None is the system's own place.
    """

    def __init__(
        self,
        sides: tuple[Batches, Batches | None],
        reuse: Reuse,
        augment: Augment | None,
        seed: int,
        folder: Path | None,
    ) -> None:
        self._sides, self._reuse = sides, reuse
        self._augment, self._seed, self._folder = augment, seed, folder
        self._part = ""
        self._variants: dict[int, Batches] = {}
        self._valid: Batches | None = None
        self._most = 0

    def turn(self, model: CaseModel, epoch: int, precision: str) -> tuple[Batches, Batches | None]:
        """The sides as this epoch takes them; the model's parts are asleep or awake already."""
        part = sleeping(model)
        if part != self._part:
            self._part, self._variants, self._valid = part, {}, None
            self._most = self._affordable(model, part) if part else 0
        if not self._most:
            return self._sides
        train, valid = self._sides
        number = epoch % self._most
        with lowered(precision, device_of(model)):
            if number not in self._variants:
                self._variants[number] = self._through(model, train, number)
            if valid is not None and self._valid is None:
                self._valid = self._through(model, valid, None)
        return self._variants[number], self._valid

    def _affordable(self, model: CaseModel, part: str) -> int:
        """How many variants fit beside the inner patients."""
        train, valid = self._sides
        try:
            one = _passed(model, train.examples.batch([0]), part)
        except ValueError:  # vectors that are no grid
            return 0
        each = one.values[0].numel() * torch.finfo(torch.float32).bits / 8
        inner = 0 if valid is None else _instances(valid.examples)
        left = self._reuse.gigabytes * 1e9 - each * inner
        fit = int(left // (each * _instances(train.examples)))
        return min(1 if self._augment is None else self._reuse.variants, max(0, fit))

    def _through(self, model: CaseModel, side: Batches, variant: int | None) -> Batches:
        """One side past the sleeping part; with a variant as that one changes it."""
        examples, device = side.examples, device_of(model)
        store = _Store(_instances(examples), self._folder)
        cases: list[Example] = []
        every = range(len(examples))
        drawn = torch.random.fork_rng([device] if device.type == "cuda" else [])
        with drawn:
            for group in bounded(every, examples.instances, AT_ONCE, len(every)):
                batch = examples.batch(group).to(device)
                if variant is not None and self._augment is not None:
                    torch.manual_seed(seed_of(self._seed, "variant", variant, group[0]))
                    batch = self._augment(batch)
                passed = _passed(model, batch, self._part)
                cases += unpacked(replace(passed.to("cpu"), values=store.add(passed.values)))
        return side.over(_Passed(cases, examples))


def sleeping(model: CaseModel) -> str:
    """The last part of the model's network whose output stays the same while others learn.

    Empty where there is none, or where instances of a batch have to do with each other in it.
    """
    network = model.backbone
    if network is None:
        return ""
    if not _wakes(network):
        return WHOLE
    last = ""
    for link in network.links:
        if _wakes(network.get_submodule(link)):
            break
        last = link
    return f"{WHOLE}.{last}" if last else ""


def _wakes(part: nn.Module) -> bool:
    return any(p.requires_grad for p in part.parameters()) or not is_each_alone(part)


def _passed(model: CaseModel, batch: Batch, part: str) -> Batch:
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            return model.passed(batch.to(device_of(model)), part)
    finally:
        for module, was in modes.items():
            module.training = was


def _instances(examples: Examples) -> int:
    return sum(examples.instances(i) for i in range(len(examples)))


class _Store:
    """Outputs one after the other in a file that has no name."""

    def __init__(self, count: int, folder: Path | None) -> None:
        self._count, self._folder, self._next = count, folder, 0
        self._rows: Tensor | None = None

    def add(self, values: Tensor) -> Tensor:
        """The same numbers, as they lie in the file."""
        if self._rows is None:
            self._rows = self._made(values.shape[1:])
        begin, self._next = self._next, self._next + len(values)
        rows = self._rows[begin : self._next]
        rows.copy_(values)
        return rows

    def _made(self, shape: Sequence[int]) -> Tensor:
        length = self._count * math.prod(shape)
        file: Any = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (lives as its rows do)
        with file:
            file.truncate(length * np.dtype(np.float32).itemsize)
            mapped = np.memmap(file, np.float32, "r+", shape=(self._count, *shape))
        return torch.from_numpy(mapped)


@final
class _Passed(Examples):
    """Cases past a part of the network, and what is known of them."""

    def __init__(self, cases: Sequence[Example], before: Examples) -> None:
        self._cases, self._before = cases, before

    def __len__(self) -> int:
        return len(self._cases)

    def __getitem__(self, index: int) -> Example:
        return self._cases[index]

    def batch(self, indices: Sequence[int]) -> Batch:
        """A copy: what is kept is changed by nobody."""
        batch = pack([self._cases[i] for i in indices])
        return batch if len(indices) > 1 else replace(batch, values=batch.values.clone())

    def instances(self, index: int) -> int:
        """As before."""
        return self._before.instances(index)

    def patient(self, index: int) -> str:
        """As before."""
        return self._before.patient(index)

    def label(self, index: int) -> int | None:
        """As before."""
        return self._before.label(index)
