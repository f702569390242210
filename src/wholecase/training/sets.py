"""Cases judged by sets of their instances, each of which goes through the network once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from jaxtyping import Int
from torch import Tensor

from wholecase.models import Batch, CaseModel, past_network
from wholecase.training.bounded import bounded
from wholecase.training.examples import Example, pack, unpacked
from wholecase.training.views import Views, mirrored, part_of

NUMBERS = 2**23
"""Most numbers of instances that go through a network at once: 55 pictures of 224 x 224."""


@final
@dataclass(frozen=True)
class Sets:
    """A few cases that are judged together, all by as many sets."""

    cases: tuple[Example, ...]
    """Of each the instances that its sets show, once."""
    rows: tuple[tuple[Int[Tensor, " _"], ...], ...]
    """Of each case the instances of each of its sets, in rising order."""
    whole: bool
    """Whether every set shows all of its case."""

    @classmethod
    def of(cls, example: Example, kept: Sequence[Int[Tensor, " _"]]) -> "Sets":
        """Those of one case."""
        shown = torch.unique(torch.cat([*kept]))
        rows = tuple(torch.searchsorted(shown, one) for one in kept)
        whole = all(len(one) == len(example.values) for one in kept)
        return cls((part_of(example, shown),), (rows,), whole)

    @property
    def repeats(self) -> bool:
        """Whether an instance is shown by several sets."""
        shown = sum(len(one) for own in self.rows for one in own)
        return shown > sum(len(case.values) for case in self.cases)

    def mirrored(self, axes: tuple[int, ...]) -> "Sets":
        """The same with pixels turned along these axes."""
        return replace(self, cases=tuple(mirrored(case, axes) for case in self.cases))

    def past(self, model: CaseModel, *, maps: bool = False) -> "Sets":
        """The same past the model's network, where an instance comes out of it as it does in a set.

        Not where slices are seen with their neighbours, of whom a set may lack some.
        """
        if model.input.reach and not self.whole:
            return self
        return replace(self, cases=tuple(_past(model, self.cases, maps=maps)))

    def parts(self) -> Iterator[tuple[Example, ...]]:
        """Set after set what it shows of each case."""
        for number in range(len(self.rows[0])):
            yield tuple(
                part_of(case, own[number]) for case, own in zip(self.cases, self.rows, strict=True)
            )

    def batches(self) -> Iterator[Batch]:
        """Set after set, the cases side by side."""
        return (pack(part) for part in self.parts())


def shown_in(views: Views, example: Example) -> Sets:
    """The sets that judge a case, before they are mirrored."""
    return Sets.of(example, views.kept(example))


def together(parts: Sequence[Sets]) -> Sets:
    """The sets of several cases."""
    return Sets(
        cases=tuple(case for part in parts for case in part.cases),
        rows=tuple(rows for part in parts for rows in part.rows),
        whole=all(part.whole for part in parts),
    )


def past(model: CaseModel, example: Example, *, maps: bool = False) -> Example:
    """A case past the model's network, or with `maps` up to its maps: see `past_network`."""
    (same,) = _past(model, [example], maps=maps)
    return same


def _past(model: CaseModel, cases: Sequence[Example], *, maps: bool) -> list[Example]:
    """Cases side by side where they are small, large ones in parts: memory does not grow."""
    if model.backbone is None:
        return [*cases]
    most = max(1, NUMBERS // cases[0].values[0].numel())
    # slices that see their neighbours go together
    at_once = max(len(case.values) for case in cases) if model.input.reach else most
    pieces = [
        part_of(case, rows)
        for case in cases
        for rows in torch.split(torch.arange(len(case.values)), at_once)
    ]
    made: list[Example] = []
    for group in bounded(pieces, _size, most, len(pieces)):
        through = past_network(model, pack(group), maps=maps)
        if through.after == cases[0].after:  # they cannot be kept
            return [*cases]
        made += unpacked(through)
    return [_joined(case, [m for m in made if m.case == case.case]) for case in cases]


def _joined(case: Example, parts: Sequence[Example]) -> Example:
    values = [part.values for part in parts]
    return replace(
        case, values=values[0] if len(values) == 1 else torch.cat(values), after=parts[0].after
    )


def _size(example: Example) -> int:
    return len(example.values)
