"""Cases ready for a model, and packing them into batches."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models import Batch
from wholecase.models.segments import owners


@dataclass(frozen=True)
class Example:
    """One case: its N instances and what is known of it."""

    case: str
    patient: str
    values: Tensor
    """[N, D] vectors or [N, channels, H, W] pixels."""
    scale: Float[Tensor, " N"] | None = None
    position: Float[Tensor, "N 3"] | None = None
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    """`label`: [C], sums to 1; further ones by name, nan where the case has no such label."""
    covariates: Float[Tensor, " V"] | None = None
    image: Int[Tensor, " N"] | None = None
    """Which image of the case each instance is of; those of one image stand together."""
    after: str = ""
    """The part of the model whose output the values are, as in a `Batch`."""

    def only(self, kept: Int[Tensor, " M"]) -> "Example":
        """The same case with these of its instances, in this order."""
        return replace(
            self,
            values=self.values[kept],
            scale=None if self.scale is None else self.scale[kept],
            position=None if self.position is None else self.position[kept],
            image=None if self.image is None else self.image[kept],
        )


class Examples(ABC):
    """The cases of one side of a split; may be read from disk when asked for."""

    @abstractmethod
    def __len__(self) -> int:
        """How many cases."""

    @abstractmethod
    def __getitem__(self, index: int) -> Example:
        """Case `index`."""

    @abstractmethod
    def batch(self, indices: Sequence[int]) -> Batch:
        """These cases side by side, whole: `pack`, unless they can be read faster together."""

    @abstractmethod
    def instances(self, index: int) -> int:
        """How many instances case `index` has, without reading them."""

    @abstractmethod
    def patient(self, index: int) -> str:
        """Whose case `index` is, without reading it."""

    @abstractmethod
    def label(self, index: int) -> int | None:
        """The class of case `index`, without reading it; None where it has none."""


@final
class NoExamples(Examples):
    """Nobody: what batches are tried with before any case is read."""

    def __len__(self) -> int:
        return 0

    def __getitem__(self, index: int) -> Example:
        raise IndexError(f"there is no case {index}")

    def batch(self, indices: Sequence[int]) -> Batch:
        """There is none."""
        raise IndexError(f"there are no cases {list(indices)}")

    def instances(self, index: int) -> int:
        """There are none."""
        return len(self[index].values)

    def patient(self, index: int) -> str:
        """There is none."""
        return self[index].patient

    def label(self, index: int) -> int | None:
        """There is none."""
        raise IndexError(f"there is no case {index}")


def pack(examples: Sequence[Example]) -> Batch:
    """Put cases one after the other; optional columns must be there for all or for none."""
    lengths = torch.tensor([0, *(len(e.values) for e in examples)])
    first = examples[0]
    return Batch(
        values=_joined([e.values for e in examples]),
        starts=lengths.cumsum(0),
        cases=tuple(e.case for e in examples),
        patients=tuple(e.patient for e in examples),
        scale=_column([e.scale for e in examples]),
        position=_column([e.position for e in examples]),
        targets={name: torch.stack([e.targets[name] for e in examples]) for name in first.targets},
        covariates=_stacked([e.covariates for e in examples]),
        images=_image_bounds(examples),
        after=first.after,
    )


def unpacked(batch: Batch) -> list[Example]:
    """The cases of a batch one by one; what `pack` would make it of."""
    bounds = batch.starts.tolist()
    image = None if batch.images is None else owners(batch.images)
    return [
        Example(
            case=case,
            patient=batch.patients[b],
            values=batch.values[begin:end],
            scale=None if batch.scale is None else batch.scale[begin:end],
            position=None if batch.position is None else batch.position[begin:end],
            targets={name: target[b] for name, target in batch.targets.items()},
            covariates=None if batch.covariates is None else batch.covariates[b],
            image=None if image is None else image[begin:end] - image[begin],
            after=batch.after,
        )
        for b, (case, begin, end) in enumerate(zip(batch.cases, bounds, bounds[1:], strict=False))
    ]


def _image_bounds(examples: Sequence[Example]) -> Tensor | None:
    lengths = [torch.zeros(1, dtype=torch.long)]
    for example in examples:
        if example.image is None:
            return None
        images, runs = torch.unique_consecutive(example.image, return_counts=True)
        if len(images) != len(images.unique()):
            raise ValueError(f"case {example.case!r}: the instances of an image stand apart")
        lengths.append(runs)
    return torch.cat(lengths).cumsum(0)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _column(parts: list[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    return _joined(present) if len(present) == len(parts) else None


def _stacked(parts: list[Tensor | None]) -> Tensor | None:
    present = [part for part in parts if part is not None]
    return torch.stack(present) if len(present) == len(parts) else None
