"""Cases of one batch mixed with each other, view by view."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models import Batch
from wholecase.models.segments import segment_mean


def partners(batch: Batch) -> Int[Tensor, " B"]:
    """For each case another one, drawn; itself where there is none to mix with.

    Where scales are known any other case may be the one: they meet where both have a scale. Else
    cases need as many instances as each other.
    """
    lengths = batch.starts.diff().cpu()
    if _scales_known(batch):
        return torch.randperm(len(lengths))
    found = torch.arange(len(lengths))
    for length in sorted(set(lengths.tolist())):
        alike = (lengths == length).nonzero()[:, 0]
        found[alike] = alike[torch.randperm(len(alike))]
    return found


def mixed(batch: Batch, others: Int[Tensor, " B"], share: float) -> Batch:
    """`share` of each case and the rest of its partner; targets and covariates alike.

    Name, patient, scales and positions stay those of the case. An instance meets one of the same
    scale where scales are known; one that meets none stays as it is, and targets and covariates
    are then mixed by the mean share over the instances of the case.
    """
    rows = _opposite(batch, others).to(batch.values.device)
    meets = (rows >= 0).to(batch.values.dtype)
    own = 1 - (1 - share) * meets  # [T]
    of_case = segment_mean(own, batch.starts)  # [B]
    covariates = batch.covariates
    return replace(
        batch,
        values=_mix(batch.values, batch.values[rows.clamp_min(0)], own),
        targets={n: _mix(target, target[others], of_case) for n, target in batch.targets.items()},
        covariates=None if covariates is None else _mix(covariates, covariates[others], of_case),
    )


def _mix(values: Tensor, other: Tensor, own: Float[Tensor, " M"]) -> Tensor:
    share = own.to(values).view(-1, *[1] * (values.dim() - 1))
    # where nothing is mixed, not even what is unknown of the other comes in
    return torch.where(share < 1, share * values + (1 - share) * other, values)


def _scales_known(batch: Batch) -> bool:
    return batch.scale is not None and not bool(batch.scale.isnan().any())


def _opposite(batch: Batch, others: Int[Tensor, " B"]) -> Int[Tensor, " T"]:
    """For each instance the one of the partner that it meets; -1 where it meets none."""
    bounds = list(pairwise(batch.starts.tolist()))
    rows = torch.full((len(batch.values),), -1)
    for (begin, end), other in zip(bounds, others.tolist(), strict=True):
        for mine, theirs in _meetings(batch, (begin, end), bounds[other]):
            rows[mine] = theirs
    return rows


def _meetings(
    batch: Batch, case: tuple[int, int], other: tuple[int, int]
) -> Iterator[tuple[int, int]]:
    """Instances of two cases that meet: in their order, of one scale where scales are known."""
    mine, theirs = _by_scale(batch, *case), _by_scale(batch, *other)
    for scale, own in mine.items():
        yield from zip(own, theirs.get(scale, ()), strict=False)


def _by_scale(batch: Batch, begin: int, end: int) -> dict[float, list[int]]:
    if batch.scale is None or not _scales_known(batch):
        return {0.0: list(range(begin, end))}
    found: dict[float, list[int]] = defaultdict(list)
    for row, scale in zip(range(begin, end), batch.scale[begin:end].tolist(), strict=True):
        found[scale].append(row)
    return found
