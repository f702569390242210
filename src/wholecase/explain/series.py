"""A series as evidence: which slices decide, in which order, and what each says by itself."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from wholecase.explain.evidence import Evidence

MOST_SHOWN = 48
"""Slices of a strip; of a longer series they are thinned evenly."""


@dataclass(frozen=True)
class SliceSaid:
    """One slice of a series, and what it has to do with the answer."""

    index: int
    """Among the instances of the case."""
    number: int
    """Within its series, from 1."""
    of: int
    """How many slices the series has."""
    series: int | None
    """Which image of the case, from 1; None where there is one, or where each is a slice."""
    position_mm: float | None
    """Along the normal of the slices; None where nothing tells."""
    probability: float | None
    """Of the class that is shown, of this slice alone; None where the model cannot tell."""
    weight: float
    """Its share of the decision; all slices of a case make 1."""
    rank: int
    """1 is the slice that has most to do with the answer."""

    @property
    def decides(self) -> bool:
        """Whether the answer would be another without it."""
        return self.weight > 0

    @property
    def place(self) -> str:
        """Where it lies, in words.

        >>> SliceSaid(4, 5, 30, None, 22.5, 0.8, 1.0, 1).place
        'slice 5 of 30, at 22.5 mm'
        """
        series = "" if self.series is None else f" of series {self.series}"
        at = "" if self.position_mm is None else f", at {self.position_mm:.1f} mm"
        return f"slice {self.number} of {self.of}{series}{at}"


def has_slices(evidence: Evidence) -> bool:
    """Whether the case is several slices, one instance each: of one image, or each an image."""
    planes = _planes(evidence)
    places = set(zip(evidence.image.tolist(), planes.tolist(), strict=True))
    return 1 < len(planes) == len(places)


def class_shown(evidence: Evidence) -> int:
    """The positive class of two; of several that for which the slices that decide speak most."""
    if evidence.alone is None or evidence.alone.shape[1] == 2:
        return 1
    weights = evidence.weights.mean(1)
    return int(np.nanargmax(np.nansum(weights[:, None] * evidence.alone, 0)))


def slices_said(evidence: Evidence) -> list[SliceSaid]:
    """The slices of a series in their order, as the images of the case hold them."""
    planes, weights = _planes(evidence), evidence.weights.mean(1)
    rank = np.empty(len(weights), np.int64)
    rank[_order(evidence)] = np.arange(1, len(weights) + 1)
    by_image = len(set(evidence.image.tolist())) == len(weights)
    alone = None if evidence.alone is None else evidence.alone[:, class_shown(evidence)]
    heights_mm = evidence.position_um[:, 2].astype(np.float64) / 1000
    if not np.ptp(heights_mm):  # flat pictures say 0, all of them
        heights_mm = np.full_like(heights_mm, np.nan)

    def said(i: int) -> SliceSaid:
        here = evidence.image == evidence.image[i]
        several = not by_image and not here.all()
        return SliceSaid(
            index=i,
            number=i + 1 if by_image else int(planes[i]) + 1,
            of=len(weights) if by_image else int(planes[here].max()) + 1,
            series=int(evidence.image[i]) + 1 if several else None,
            position_mm=_finite(float(heights_mm[i])),
            probability=None if alone is None else _finite(float(alone[i])),
            weight=float(weights[i]),
            rank=int(rank[i]),
        )

    return [said(i) for i in range(len(weights))]


def thinned(said: list[SliceSaid], most: int = MOST_SHOWN) -> list[SliceSaid]:
    """Evenly as many as can be shown, those that have most to do with the answer among them.

    >>> each = [SliceSaid(i, i + 1, 9, None, None, None, float(i == 7), 9 - i) for i in range(9)]
    >>> [one.number for one in thinned(each, 8)]
    [1, 2, 4, 5, 6, 8, 9]
    """
    if len(said) <= most:
        return said
    leading = {i for i, one in enumerate(said) if one.decides and one.rank <= most // 4}
    even = np.linspace(0, len(said) - 1, most - len(leading)).round().astype(int).tolist()
    return [said[i] for i in sorted({*even, *leading})]


def _order(evidence: Evidence) -> Int64[np.ndarray, " N"]:
    """By weight, then by what each says alone; of equal ones the earlier first."""
    alone = evidence.alone
    second: Float[np.ndarray, " N"] = np.zeros(len(evidence.weights))
    if alone is not None:
        second = np.nan_to_num(alone[:, class_shown(evidence)], nan=-1.0)
    return np.lexsort((-second, -evidence.weights.mean(1))).astype(np.int64)


def _planes(evidence: Evidence) -> Int64[np.ndarray, " N"]:
    return np.zeros(len(evidence.image), np.int64) if evidence.plane is None else evidence.plane


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
