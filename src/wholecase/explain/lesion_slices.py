"""Whether a series' evidence finds its lesion: the right slices, and the right place in them."""

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float

from wholecase.evaluation import auroc
from wholecase.explain.evidence import GRAD_CAM, Evidence
from wholecase.explain.series import slices_said

FIRST = 2
"""A lesion slice among so many counts as found."""


@dataclass(frozen=True)
class LesionSlices:
    """What was found of one case; None where it cannot be said."""

    slices: int
    """That have a mask."""
    lesions: int
    """Of them with a lesion."""
    auc: float | None
    """AUROC of what a slice says alone for telling slices with a lesion from those without."""
    first_rank: int | None
    """The best rank of a slice with a lesion; None without one."""
    map_share: float | None = None
    """Share of Grad-CAM that lies in the lesion, mean over slices with one that decide."""
    map_chance: float | None = None
    """The same if Grad-CAM were even: the lesion's share of those slices."""
    pointing: float | None = None
    """Share of those slices in which the cell of the maximum touches the lesion."""
    pointing_chance: float | None = None
    """The same for a cell drawn at random."""
    marked: tuple[int, ...] = ()
    """The slices with a lesion, by their instances."""

    @property
    def is_among_first(self) -> bool | None:
        """Whether a slice with a lesion is one of the two highest."""
        return None if self.first_rank is None else self.first_rank <= FIRST


def lesion_slices(evidence: Evidence, masks: Mapping[int, Bool[np.ndarray, "H W"]]) -> LesionSlices:
    """How well the evidence of a series finds what the masks mark.

    Args:
        evidence: of a series; Grad-CAM is looked at where it has some.
        masks: of those instances that have one, over the whole slice.
    """
    said = slices_said(evidence)
    known = sorted(masks)
    marked = np.array([bool(masks[i].any()) for i in known], bool)
    weight = [said[i].weight for i in known]
    alone = [said[i].probability for i in known]
    scores = weight if None in alone else alone
    area = auroc(marked, np.array(scores, np.float64))
    with_lesion = [i for i, has in zip(known, marked, strict=True) if has]
    return LesionSlices(
        slices=len(known),
        lesions=len(with_lesion),
        auc=None if np.isnan(area) else area,
        marked=tuple(with_lesion),
        first_rank=min((said[i].rank for i in with_lesion), default=None),
        **_places(evidence, {i: masks[i] for i in with_lesion if said[i].decides}),
    )


def _places(evidence: Evidence, masks: Mapping[int, Bool[np.ndarray, "H W"]]) -> dict[str, float]:
    """Where Grad-CAM lies in slices with a lesion; empty where there is none to look at."""
    maps = evidence.maps.get(GRAD_CAM)
    seen = [i for i in masks if maps is not None and maps[i].max() > 0]
    if maps is None or not seen:
        return {}
    rows = np.array([_place(maps[i].astype(np.float64), masks[i]) for i in seen])
    names = ("map_share", "map_chance", "pointing", "pointing_chance")
    return dict(zip(names, rows.mean(0).tolist(), strict=True))


def _place(
    values: Float[np.ndarray, "h w"], mask: Bool[np.ndarray, "H W"]
) -> tuple[float, float, float, float]:
    """Of one slice, as `LesionSlices` names them."""
    cover = cells_covered(mask, (values.shape[0], values.shape[1]))
    touched = cover > 0
    top = np.unravel_index(values.argmax(), values.shape)
    return (
        float((values * cover).sum() / values.sum()),
        float(cover.mean()),
        float(touched[top]),
        float(touched.mean()),
    )


def cells_covered(
    mask: Bool[np.ndarray, "H W"], cells: tuple[int, int]
) -> Float[np.ndarray, "h w"]:
    """Share of each cell of a grid over the slice that the mask covers; h x w cells.

    >>> cells_covered(np.array([[True, False], [False, False]]), (1, 2)).tolist()
    [[0.5, 0.0]]
    """
    height, width = cells
    down, across = max(mask.shape[0], height), max(mask.shape[1], width)
    # a grid finer than the mask takes the pixel at each cell's centre
    fine = cv2.resize(mask.astype(np.float32), (across, down), interpolation=cv2.INTER_NEAREST)
    share: Float[np.ndarray, "h w"] = cv2.resize(
        fine, (width, height), interpolation=cv2.INTER_AREA
    ).astype(np.float64)
    return np.where(share < 1e-6, 0.0, share)
