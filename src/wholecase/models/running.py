"""Judging many instances in blocks: a softmax that runs along (Milakov 2018)."""

from typing import final

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wholecase.models.attention import Scored, Scoring, by_head, pool_by_scores, pooled_of
from wholecase.models.batch import Embedded, Pooled
from wholecase.models.segments import owners, segment_max, segment_mix, segment_sum

BLOCK = 8192
"""Instances that are scored at once while judging; learning needs all of a batch."""


def attend(score: Scoring, embedded: Embedded, *, block: int = BLOCK) -> Pooled:
    """Score and pool: all at once where a gradient is wanted, in blocks where a case is judged.

    In blocks, what lies between the instances and what is told of them is bounded: the attention
    layer, its gate, the products of pooling. The embedded instances are told, so they are kept.

    Args:
        score: must answer for each instance on its own.
        embedded: the bags.
        block: most instances at once.
    """
    # a graph that is exported has one path, for any number of instances
    whole = torch.is_grad_enabled() or torch.compiler.is_exporting()
    if whole or len(embedded.values) <= block:
        return pool_by_scores(score(embedded.values), embedded)
    return pool_in_blocks(score, embedded, block)


def pool_in_blocks(score: Scoring, embedded: Embedded, block: int) -> Pooled:
    """The same as `pool_by_scores` to rounding, whatever bags the blocks cut through."""
    count, starts = len(embedded.values), embedded.starts
    part = score(embedded.values[:block])
    whole = Scored(room(part.hidden, count), room(part.scores, count))
    running = _Running(part, len(starts) - 1)
    for begin in range(0, count, block):
        end = min(begin + block, count)
        if begin:
            part = score(embedded.values[begin:end])
        whole.hidden[begin:end], whole.scores[begin:end] = part.hidden, part.scores
        running.see(part, starts, begin)
    return pooled_of(whole, running.mixed(), running.weights(whole.scores, starts), embedded)


def room(like: Tensor, count: int) -> Tensor:
    """Place for what so many instances are told, block after block."""
    return like.new_empty((count, *like.shape[1:]))


@final
class _Running:
    """Of every bag: the highest score so far, and the sums of exponentials below it."""

    def __init__(self, part: Scored, bags: int) -> None:
        heads, branches = part.scores.shape[1:]
        width = part.hidden.shape[1] // heads
        self._highest = part.scores.new_full((bags, heads, branches), -torch.inf)
        self._total = torch.zeros_like(self._highest)
        self._mixed = part.hidden.new_zeros((bags, heads, branches, width))

    def see(self, part: Scored, starts: Int[Tensor, " bounds"], begin: int) -> None:
        """Take in a block that begins at this instance."""
        bags, within = _cut(starts, begin, begin + len(part.scores))
        before = self._highest[bags]
        highest = torch.maximum(before, segment_max(part.scores, within))
        grown = (part.scores - highest[owners(within)]).exp()
        faded = (before - highest).exp()  # of what was summed below a lower highest score
        self._highest[bags] = highest
        self._total[bags] = self._total[bags] * faded + segment_sum(grown, within)
        added = segment_mix(by_head(part), grown, within)
        self._mixed[bags] = self._mixed[bags] * faded[..., None] + added

    def mixed(self) -> Float[Tensor, "B heads K part"]:
        """The weighted mean of each bag."""
        return self._mixed / self._total[..., None]

    def weights(
        self, scores: Float[Tensor, "T heads K"], starts: Int[Tensor, " bounds"]
    ) -> Float[Tensor, "T heads K"]:
        """Within a bag they sum to 1."""
        owner = owners(starts)
        return (scores - self._highest[owner]).exp() / self._total[owner]


def _cut(
    starts: Int[Tensor, " bounds"], begin: int, end: int
) -> tuple[slice, Int[Tensor, " bounds_within"]]:
    """Which bags have instances from `begin` to `end`, and where they begin in between."""
    ends = torch.tensor([begin, end - 1], device=starts.device)
    first, last = (torch.searchsorted(starts, ends, right=True) - 1).tolist()
    return slice(first, last + 1), starts[first : last + 2].clamp(begin, end) - begin
