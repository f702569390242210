"""Cases of one batch mixed with each other, instance by instance."""

from dataclasses import replace
from itertools import pairwise

import torch
from jaxtyping import Int
from torch import Tensor

from wholecase.models import Batch


def partners(batch: Batch) -> Int[Tensor, " B"]:
    """For each case another one with as many instances, drawn; itself where there is none."""
    lengths = batch.starts.diff().cpu()
    found = torch.arange(len(lengths))
    for length in sorted(set(lengths.tolist())):
        alike = (lengths == length).nonzero()[:, 0]
        found[alike] = alike[torch.randperm(len(alike))]
    return found


def mixed(batch: Batch, others: Int[Tensor, " B"], share: float) -> Batch:
    """`share` of each case and the rest of its partner; targets and covariates alike.

    Name, patient, scales and positions stay those of the case. Instances meet in the order of
    their scales where these are known, so that one magnification meets the same one, else as they
    stand.
    """

    def mix(values: Tensor, rows: Tensor) -> Tensor:
        return share * values + (1 - share) * values[rows.to(values.device)]

    covariates = batch.covariates
    return replace(
        batch,
        values=mix(batch.values, _opposite(batch, others)),
        targets={name: mix(target, others) for name, target in batch.targets.items()},
        covariates=None if covariates is None else mix(covariates, others),
    )


def _opposite(batch: Batch, others: Int[Tensor, " B"]) -> Int[Tensor, " T"]:
    """For each instance the one of the partner that it meets."""
    orders = [
        torch.arange(begin, end) if batch.scale is None else begin + _by_scale(batch, begin, end)
        for begin, end in pairwise(batch.starts.tolist())
    ]
    rows = torch.empty(len(batch.values), dtype=torch.long)
    for order, other in zip(orders, others.tolist(), strict=True):
        rows[order] = orders[other]
    return rows


def _by_scale(batch: Batch, begin: int, end: int) -> Int[Tensor, " N"]:
    assert batch.scale is not None, "asked before"  # noqa: S101
    return batch.scale[begin:end].cpu().argsort(stable=True)
