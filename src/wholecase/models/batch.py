"""The values that travel through every model: Batch -> Embedded -> Pooled -> Answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Several cases, packed: no padding, no mask, no empty bag."""

    values: Tensor
    """[T, D] vectors, or [T, C, H, W] pixels: samples of their kind, or its numbers as floats; or
    what a part of the model made of them, where `after` names one."""
    starts: Int[Tensor, " bounds"]
    """[B + 1]: case b owns instances starts[b] to starts[b + 1]."""
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    scale: Float[Tensor, " T"] | None = None
    """µm/px or magnification; None or nan where there is none."""
    position: Float[Tensor, "T 3"] | None = None
    """µm x, y, z; None or nan where there is none."""
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    """`label`: [B, C] rows that sum to 1 (soft targets allowed); other heads' labels beside it, of
    which a row of nan says that the case has none."""
    covariates: Float[Tensor, "B V"] | None = None
    images: Int[Tensor, " image_bounds"] | None = None
    """[I + 1]: where images begin, and the end; None where nobody asks. Cases begin with images."""
    after: str = ""
    """The part of the model, such as `backbone.network.layer3`, whose output the values are; that
    part and all before it are passed over. Empty: none."""

    def __post_init__(self) -> None:
        if torch.compiler.is_exporting():  # a graph has no numbers that could be looked at
            return
        lengths = self.starts.diff()
        if len(self.cases) != len(lengths) or len(self.patients) != len(lengths):
            raise ValueError(f"{len(lengths)} bags for {len(self.cases)} cases")
        if int(self.starts[0]) != 0 or int(self.starts[-1]) != len(self.values):
            raise ValueError(f"starts {self.starts.tolist()} for {len(self.values)} instances")
        if bool((lengths < 1).any()):
            empty = self.cases[int((lengths < 1).nonzero()[0])]
            raise ValueError(f"case {empty!r} has no instances")
        if self.images is not None and not _divides(self.images, self.starts):
            raise ValueError(f"images {self.images.tolist()} do not divide {self.starts.tolist()}")

    def apart(self, rows: Int[Tensor, " R"]) -> "Batch":
        """These instances, each a case of its own, whoever's they are."""
        names = ("",) * len(rows)
        return Batch(
            values=self.values[rows],
            starts=torch.arange(len(rows) + 1, device=rows.device),
            cases=names,
            patients=names,
            scale=None if self.scale is None else self.scale[rows],
            position=None if self.position is None else self.position[rows],
            after=self.after,
        )

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        return replace(
            self,
            values=self.values.to(device, non_blocking=True),
            starts=self.starts.to(device),
            scale=None if self.scale is None else self.scale.to(device),
            position=None if self.position is None else self.position.to(device),
            targets={name: target.to(device) for name, target in self.targets.items()},
            covariates=None if self.covariates is None else self.covariates.to(device),
            images=None if self.images is None else self.images.to(device),
        )


def _divides(images: Int[Tensor, " image_bounds"], starts: Int[Tensor, " bounds"]) -> bool:
    """Whether the images are never empty and each bag is made of whole ones."""
    if not bool((images.diff() > 0).all()) or not bool(torch.isin(starts, images).all()):
        return False
    return int(images[0]) == int(starts[0]) and int(images[-1]) == int(starts[-1])


@dataclass(frozen=True)
class Embedded:
    """What a backbone makes of a batch: vectors, possibly several per instance."""

    values: Float[Tensor, "T D"]
    starts: Int[Tensor, " bounds"]
    scale: Float[Tensor, " T"] | None = None
    origin: Int[Tensor, " T"] | None = None
    """Index into the batch's instances; None where vector t came from instance t."""
    cell: Int[Tensor, "T 2"] | None = None
    """Row and column of each vector within its instance; None where an instance is one vector."""

    @classmethod
    def of(cls, batch: Batch) -> "Embedded":
        """Stored features need no backbone."""
        return cls(values=batch.values, starts=batch.starts, scale=batch.scale)


@dataclass(frozen=True)
class Pooled:
    """What an aggregator makes of a bag; the weights always come along."""

    embedding: Float[Tensor, "B K E"]
    """K branches: 1, or one per class."""
    weights: Float[Tensor, "T K"]
    """How much each instance contributed, 0 or more; within a bag and branch they sum to 1, and
    zeros are ties (`Aggregator`)."""
    scores: Float[Tensor, "T K"]
    """The same before the softmax."""
    instances: Float[Tensor, "T E"]
    """The embedded instances that were pooled."""
    starts: Int[Tensor, " bounds"]
    origin: Int[Tensor, " T"] | None = None
    cell: Int[Tensor, "T 2"] | None = None


@dataclass(frozen=True)
class Answer:
    """What a model says of a batch, before the head turns logits into probabilities."""

    pooled: Pooled
    logits: Float[Tensor, "B L"]
    """L numbers per case: 1 for a binary head, C for a softmax."""
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    targets: Mapping[str, Tensor] = field(default_factory=dict)
    instance_logits: Float[Tensor, "T L"] | None = None
    """Each instance decided alone, where the recipe says `decide: instance`."""
    also: Mapping[str, "Answer"] = field(default_factory=dict)
    """What further heads say of their own targets; the first alone decides."""
