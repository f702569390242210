"""A collapse of an embedding: all cases draw together in one point, none apart from others."""

from collections.abc import Sequence

from wholecase.training.resume import Epoch

POINT = 0.05
"""Mean distance between two cases, of unit vectors, below which they are as good as one."""
FALLEN = 0.2
"""Share of the greatest mean distance of the training below which they have drawn together."""
UNSOLVED = 0.3
"""Share of active triplets from which on a narrow embedding tells nobody apart: by chance half are
in the wrong order."""
LASTING = 3
"""Epochs over which they must be."""
DISTANCE, ACTIVE = "embedding_distance", "active_triplets"
"""The figures of an epoch that tell it."""


def are_together(epochs: Sequence[Epoch]) -> bool:
    """Whether the cases lie together by the last of these epochs; False where no figure tells.

    In three epochs their mean distance lies below a fifth of what it once was; or below 0.05 of the
    possible 2, the last of them not above the first: an embedding that begins narrow and widens has
    not collapsed. Nor has one, however narrow, in which most triplets are solved.
    """
    told = [epoch.figures.get(DISTANCE) for epoch in epochs]
    every = [value for value in told if value is not None]
    last = every[-LASTING:]
    if len(last) < LASTING:
        return False
    if min(epoch.figures.get(ACTIVE, 1.0) for epoch in epochs[-LASTING:]) < UNSOLVED:
        return False
    is_point = max(last) < POINT and last[-1] <= last[0]
    return is_point or max(last) < FALLEN * max(every)
