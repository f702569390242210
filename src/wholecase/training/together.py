"""A collapse of an embedding: all cases draw together in one point, none apart from others."""

from collections.abc import Sequence

from wholecase.training.resume import Epoch

POINT = 0.05
"""Mean distance between two cases, of unit vectors, below which they are as good as one."""
LASTING = 3
"""Epochs over which they must be, without coming apart again."""
DISTANCE = "embedding_distance"
"""The figure of an epoch that tells it."""


def are_together(epochs: Sequence[Epoch]) -> bool:
    """Whether the cases lie together by the last of these epochs; False where no figure tells.

    Below 0.05 of the possible 2 in three epochs, the last of them not above the first: an embedding
    that begins narrow and widens has not collapsed.
    """
    told = [epoch.figures.get(DISTANCE) for epoch in epochs[-LASTING:]]
    distances = [value for value in told if value is not None]
    return len(distances) == LASTING and max(distances) < POINT and distances[-1] <= distances[0]
