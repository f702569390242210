"""Where a network looked at each magnification of a case: a row, from coarse to fine."""

import numpy as np
from jaxtyping import Float, UInt8

from wholecase.answer.tiles import read_tiles
from wholecase.cohort import Case, Image
from wholecase.core.errors import SourceError
from wholecase.explain import GRAD_CAM, VIEW_PX, Evidence, overlay, picture_row
from wholecase.sources import open_source


def scales_picture(
    case: Case, evidence: Evidence, shades: tuple[float, float] | None = None
) -> UInt8[np.ndarray, "h w 3"] | None:
    """Grad-CAM of the view of greatest weight at each magnification, with the weight that it has.

    The manifest tells the magnifications, of which a case may lack some. A view that cannot be read
    is left out. None without Grad-CAM, or where there are not two magnifications to compare.
    """
    if GRAD_CAM not in evidence.maps:
        return None
    weights = evidence.weights.mean(1)
    top = _heaviest(case, evidence, weights)
    whole = {scale: _weight_at(case, evidence, weights, scale) for scale in top}
    views = []
    for scale, index in top.items():
        try:
            seen = _overlaid(case, evidence, index, shades)
        except SourceError:
            continue
        views.append((f"{scale:g}x: {100 * whole[scale]:.0f} % of the weight", seen))
    return picture_row(views) if len(views) > 1 else None


def _heaviest(case: Case, evidence: Evidence, weights: Float[np.ndarray, " N"]) -> dict[float, int]:
    """By magnification, from coarse to fine, the instance that weighs most."""
    top: dict[float, int] = {}
    for index, number in enumerate(evidence.image.tolist()):
        scale = case.images[number].magnification
        if scale is not None and (scale not in top or weights[index] > weights[top[scale]]):
            top[scale] = index
    return dict(sorted(top.items()))


def _weight_at(
    case: Case, evidence: Evidence, weights: Float[np.ndarray, " N"], scale: float
) -> float:
    numbers = [n for n, image in enumerate(case.images) if image.magnification == scale]
    return float(weights[np.isin(evidence.image, numbers)].sum())


def _overlaid(
    case: Case, evidence: Evidence, index: int, shades: tuple[float, float] | None
) -> UInt8[np.ndarray, "h w 3"]:
    image: Image = case.images[int(evidence.image[index])]
    with open_source(image.path, image.kind, image.mpp, image.window) as source:
        tiles = read_tiles(source, evidence, [index], side_px=VIEW_PX, shades=shades)
    if index not in tiles:
        raise SourceError(f"{image.path} cannot be read where the view was cut")
    return overlay(tiles[index], evidence.maps[GRAD_CAM][index])
