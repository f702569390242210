"""Which remembered cases are nearest to those that are asked about, and what they say together."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.cohort import likeness_key

BLOCK = 256
"""Cases that are compared with the memory at once."""
CLOSEST = 1e-3
"""Added to each distance before it is inverted: a twin does not outvote all others for ever."""


@dataclass(frozen=True)
class Found:
    """Where in the memory the nearest cases of each case are, nearest first."""

    index: Int[Tensor, "B k"]
    distance: Float[Tensor, "B k"]
    """Between unit vectors, 0 to 2; inf where the memory has no further case that counts."""


@dataclass(frozen=True)
class Near:
    """The nearest remembered cases of each case, nearest first."""

    case: Int[Tensor, "B k"]
    """Codes of their ids."""
    patient: Int[Tensor, "B k"]
    """Codes of their patients' ids."""
    label: Float[Tensor, "B k C"]
    distance: Float[Tensor, "B k"]
    """As in `Found`."""


def codes(names: Iterable[str]) -> Int[Tensor, " M"]:
    """Ids as numbers that fit a tensor; all likely spellings of one id have one number."""
    digests = (hashlib.sha256(likeness_key(name).encode()).digest() for name in names)
    return torch.tensor([int.from_bytes(d[:7], "big") for d in digests], dtype=torch.long)


def nearest_cases(
    asked: tuple[Float[Tensor, "B E"], Int[Tensor, " B"]],
    known: tuple[Float[Tensor, "M E"], Int[Tensor, " M"]],
    k: int,
) -> Found:
    """Exact search, `BLOCK` cases at a time; those with the same code are passed over.

    Args:
        asked: unit vectors of the cases, and the codes of their patients.
        known: the same of the memory.
        k: neighbours wanted; as many as the memory has where that is fewer.
    """
    (vectors, whose), (memory, owners) = asked, known
    wanted, found = min(k, len(memory)), []
    for begin in range(0, len(vectors), BLOCK):
        part = vectors[begin : begin + BLOCK]
        own = whose[begin : begin + BLOCK, None] == owners
        likeness, index = (part @ memory.T).masked_fill(own, -torch.inf).topk(wanted)
        # anew from the vectors: between twins the product of unit vectors is all rounding
        distance = (part[:, None] - memory[index]).norm(dim=-1)
        distance = distance.masked_fill(likeness.isneginf(), torch.inf)
        order = _ascending(distance)
        found.append((index.gather(1, order), distance.gather(1, order)))
    index, distance = (torch.cat(parts) for parts in zip(*found, strict=True))
    return Found(index, distance)


def _ascending(distance: Float[Tensor, "B k"]) -> Int[Tensor, "B k"]:
    """Equal ones stay in their order; a graph's own operation for the largest does so, too."""
    if torch.compiler.is_exporting():
        return distance.topk(distance.shape[1], dim=1, largest=False).indices
    return distance.argsort(stable=True, dim=1)


def vote(near: Near) -> Float[Tensor, "B C"]:
    """What the neighbours say together, each by the inverse of its distance.

    One further vote is spread over all classes: a unanimous vote is surer the more have voted, and
    one of nobody says nothing.
    """
    there = near.distance.isfinite()
    weight = 1 / (near.distance + CLOSEST)  # 0 where there is none
    count = there.sum(1, keepdim=True)
    said = (weight[..., None] * near.label).sum(1)
    share = said / weight.sum(1, keepdim=True).clamp_min(torch.finfo(weight.dtype).tiny)
    return (count * share + 1 / near.label.shape[2]) / (count + 1)
