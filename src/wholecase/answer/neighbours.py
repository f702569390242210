"""The known cases that a judge's answer rests on, where it decides by neighbours."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from wholecase.models import Answer, Head
from wholecase.models.heads.nearest_cases import codes

SHOWN = 5
"""Neighbours that are told of a case, nearest first."""


@dataclass(frozen=True)
class Neighbour:
    """A case that a judge learnt from and that had a vote."""

    code: int
    """Of its id: a model remembers no names."""
    label: str
    distance: float
    """Between unit vectors, 0 to 2; of several judges the mean."""
    judges: int = 1
    """How many named it."""


def neighbours_of(
    head: Head, answer: Answer, classes: Sequence[str]
) -> list[tuple[Neighbour, ...]]:
    """Of each case of the answer all that voted, nearest first; none where the head has none."""
    near = head.neighbours(answer)
    if near is None:
        return [()] * len(answer.cases)
    rows = zip(
        near.case.tolist(), near.label.argmax(2).tolist(), near.distance.tolist(), strict=True
    )
    return [
        tuple(
            Neighbour(code, classes[label], distance)
            for code, label, distance in zip(*row, strict=True)
            if np.isfinite(distance)
        )
        for row in rows
    ]


def together(parts: Iterable[Sequence[Neighbour]]) -> tuple[Neighbour, ...]:
    """Those that most judges named first, of equals the nearer; a judge's distance is its own."""
    named: dict[int, list[Neighbour]] = defaultdict(list)
    for part in parts:
        for neighbour in part:
            named[neighbour.code].append(neighbour)
    joined = [
        Neighbour(code, own[0].label, float(np.mean([n.distance for n in own])), len(own))
        for code, own in named.items()
    ]
    return tuple(sorted(joined, key=lambda n: (-n.judges, n.distance)))


def names_by_code(cases: Sequence[str]) -> Mapping[int, str]:
    """The ids of known cases by what a model remembers of them."""
    return dict(zip(codes(cases).tolist(), cases, strict=True))
