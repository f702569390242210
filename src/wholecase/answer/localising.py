"""Whether a case's evidence points at what a person has marked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from wholecase.answer.series_pictures import is_series
from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError
from wholecase.explain import (
    Evidence,
    LesionSlices,
    lesion_slices,
    localisation_auc,
    mask_share,
    white_of,
)
from wholecase.sources import is_nifti, open_source, volume_mask


@dataclass(frozen=True)
class Localised:
    """How well evidence finds what is marked; None where it cannot be said."""

    auc: float | None = None
    """AUROC of the weight, marked tiles against untouched ones; of slices of what each says."""
    slices: LesionSlices | None = None
    """Of a series."""


def localise(case: Case, evidence: Evidence, sizes: Mapping[int, tuple[int, int]]) -> Localised:
    """What the masks of a case say of its evidence; nothing of a case without masks.

    `sizes` are width and height of the case's images. A series has a volume for a mask (NIfTI);
    other images, and slices that are a picture each, have a picture of the same proportions.

    Raises:
        SourceError: a mask cannot be read, or does not fit its image.
    """
    marked = {n: i.mask for n, i in enumerate(case.images) if i.mask is not None and n in sizes}
    if not marked:
        return Localised()
    if is_series(case, evidence):
        masks = dict(_masks(case, evidence, marked, sizes))
        found = lesion_slices(evidence, masks)
        return Localised(found.auc, found)
    shares, weights = [], []
    for number, mask in marked.items():
        _refuse_volume(mask, case.images[number])
        here = evidence.of_image(number)
        shares.append(mask_share(mask, sizes[number], here.box_px))
        weights.append(here.weights.mean(1).astype(np.float64))
    return Localised(localisation_auc(np.concatenate(weights), np.concatenate(shares)))


def _masks(
    case: Case,
    evidence: Evidence,
    marked: Mapping[int, Path],
    sizes: Mapping[int, tuple[int, int]],
) -> Iterator[tuple[int, Bool[np.ndarray, "H W"]]]:
    """The mask of what was cut from each slice whose image has one, by the instance."""
    for number, mask in marked.items():
        image = case.images[number]
        here = np.flatnonzero(evidence.image == number).tolist()
        planes = np.zeros(len(here), int) if evidence.plane is None else evidence.plane[here]
        each = _of_planes(image, mask, len(here), sizes[number])
        for i, plane in zip(here, planes.tolist(), strict=True):
            yield i, _cut(each[plane], sizes[number], evidence.box_px[i].tolist())


def _cut(
    mask: Bool[np.ndarray, "H W"], size_px: tuple[int, int], box_px: list[int]
) -> Bool[np.ndarray, "h w"]:
    """The part of a mask over an image of that width and height that lies in a box of it."""
    across, down = mask.shape[1] / size_px[0], mask.shape[0] / size_px[1]
    x, y, width, height = box_px
    columns = slice(round(x * across), max(round((x + width) * across), round(x * across) + 1))
    rows = slice(round(y * down), max(round((y + height) * down), round(y * down) + 1))
    return mask[rows, columns]


def _of_planes(
    image: Image, mask: Path, slices: int, size_px: tuple[int, int]
) -> Bool[np.ndarray, "planes H W"]:
    if not is_nifti(mask):
        if slices > 1:
            raise SourceError(
                f"{mask}: a picture, and {image.path} has {slices} slices; give a NIfTI volume on "
                f"the grid of its series"
            )
        return white_of(mask, size_px)[None]
    with open_source(image.path, image.kind, image.mpp, image.window) as source:
        return volume_mask(mask, source)


def _refuse_volume(mask: Path, image: Image) -> None:
    if is_nifti(mask):
        raise SourceError(
            f"{mask}: a volume, and {image.path} is no series that is cut into slices; give a PNG "
            f"over the whole image"
        )
