"""How the comparing of cases goes: which triplets still teach, and how far cases lie apart."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

MOST = 1000
"""Remembered cases of which all pairs are measured."""


def active_share(
    vectors: Float[Tensor, "B E"], classes: Int[Tensor, " B"], margin: float
) -> Float[Tensor, ""]:
    """Share of all triplets in which another class is not farther off than the own by the margin.

    A triplet is a case, another of its class, and one of another class; nan where there is none.
    """
    distance = torch.cdist(vectors.float(), vectors.float())
    same = classes[:, None] == classes
    others = distance.masked_fill(same, torch.inf).sort(1).values
    nearer = torch.searchsorted(others, distance + margin)  # of another class, for each positive
    nearer = torch.minimum(nearer, (~same).sum(1, keepdim=True))
    positive = same & ~torch.eye(len(same), dtype=torch.bool, device=same.device)
    every = (positive.sum(1) * (~same).sum(1)).sum()
    return (nearer * positive).sum() / every


def mean_distance(memory: Float[Tensor, "M E"]) -> float:
    """Between two of the vectors, 0 to 2 where they have length 1; of `MOST` taken evenly."""
    some = memory[:: -(-len(memory) // MOST)]
    return float(torch.pdist(some.float()).mean())


def mean_deviation(memory: Float[Tensor, "M E"]) -> float:
    """Standard deviation of each dimension, the mean over them."""
    return float(memory.float().std(0, correction=0).mean())
